"""What it saves to decode a picture once: 451 questions about 203 pictures, as VQA-RAD's test has.

    python packages/medevalkit/bench/picture_cache.py [--repeats 3]

The model answers at once and takes pictures decoded, so that what is measured is the harness. The
questions stand in a drawn order. Without the cache means the same questions and pictures, but in
every question the picture is a file of its own (some bytes behind its end differ), so that nothing
can be shared. CPU time of a process of its own, net of the start; the least of some runs.
"""

import argparse
import io
import json
import random
import sys
import tempfile
from pathlib import Path

import numpy as np
from overhead import INSTANT, SOURCE, spend
from PIL import Image as Pillow

from lingshu_core.manifest import Producer
from lingshu_core.manifest_writer import ManifestWriter
from lingshu_core.records import Image, Question

RESULTS = Path(__file__).parent / "results" / "picture_cache.json"
QUESTIONS, PICTURES, SIDE, BAR = 451, 203, 800, 1.5


def main() -> None:
    """Measures, prints and writes the result; ends with 1 where the bar is missed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--repeats", type=int, default=3)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        shared, one = write(place / "shared", QUESTIONS, PICTURES), write(place / "one", 1, 1)
        apart = write(place / "apart", QUESTIONS, PICTURES, apart=True)
        runs = iter(range(1000))

        def least(task: Path) -> float:
            spent = (
                spend([sys.executable, str(INSTANT), "DECODED", str(task), f"{place}/{n}"])
                for n, _ in zip(runs, range(given.repeats), strict=False)
            )
            return min(seconds for seconds, _ in spent)

        start = least(one)
        kept, again = least(shared) - start, least(apart) - start
    found = {
        "questions": QUESTIONS, "pictures": PICTURES, "side": SIDE,
        "with_s": round(kept, 2), "without_s": round(again, 2), "times": round(again / kept, 2),
    }  # fmt: skip
    RESULTS.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(found, indent=2))
    if again / kept < BAR:
        sys.exit(f"missed: {BAR} times")


def write(out: Path, questions: int, pictures: int, *, apart: bool = False) -> Path:
    """Writes questions about fewer pictures, each asked about at least once, in a drawn order."""
    dice = random.Random(0)
    asked = [*range(pictures), *(dice.randrange(pictures) for _ in range(questions - pictures))]
    dice.shuffle(asked)
    producer = Producer(package="bench", version="0", command="bench", settings="")
    with ManifestWriter(out, producer=producer) as writer:
        for number, seed in enumerate(asked):
            file = picture(seed) + (f"{number}".encode() if apart else b"")
            ref = writer.add_file(file, suffix=".jpg")
            writer.write(
                Question(
                    id=f"bench/{number:020x}",
                    source=SOURCE,
                    modality="xray",
                    images=(Image(path=ref.path, sha256=ref.sha256, width=SIDE, height=SIDE),),
                    question=f"{number}: Is there a fracture?",
                    answer="no",
                    answer_kind="closed",
                )
            )
    return out


def picture(seed: int) -> bytes:
    """Returns a JPEG file of soft shapes and some noise, as a radiograph has them."""
    random_numbers = np.random.default_rng(seed)
    coarse = Pillow.fromarray(random_numbers.integers(0, 256, (12, 12), dtype=np.uint8))
    soft = np.asarray(coarse.resize((SIDE, SIDE), Pillow.Resampling.BICUBIC), dtype=np.float32)
    noisy = soft + random_numbers.normal(0, 6, (SIDE, SIDE))
    buffer = io.BytesIO()
    Pillow.fromarray(noisy.clip(0, 255).astype(np.uint8)).save(buffer, "JPEG", quality=90)
    return buffer.getvalue()


if __name__ == "__main__":
    main()
