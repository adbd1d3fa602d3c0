"""Pictures a CPU second: ours beside transformers' fast processor, and equal to its Pillow one.

Bar (issue 7, section 5): decoding and processing at 448 px at least 1.1 times the fast processor,
bit for bit what the reference gives. Both sides take turns on the same files, one at a time.

    python packages/lingshu-train/bench/decoding.py
"""

import io
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from PIL import Image as Pillow
from transformers import Qwen2VLImageProcessor
from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil

from lingshu_core.records import Image
from lingshu_train.pictures import PictureReader

RESULTS = Path(__file__).parent / "results" / "decoding.json"
PICTURES, SIDE, ROUNDS, BAR = 24, 448, 7, 1.1
SIZE = {"shortest_edge": 3136, "longest_edge": 1_003_520}


def make(folder: Path) -> list[tuple[Path, Image]]:
    """Writes JPEG files of soft shapes with some noise."""
    found = []
    for number in range(PICTURES):
        rng = np.random.default_rng(number)
        soft = Pillow.fromarray(rng.integers(0, 255, (7, 7, 3), dtype=np.uint8))
        shown = np.asarray(soft.resize((SIDE, SIDE), Pillow.Resampling.BICUBIC), dtype=np.int16)
        noisy = np.clip(shown + rng.integers(-12, 12, shown.shape), 0, 255).astype(np.uint8)
        buffer = io.BytesIO()
        Pillow.fromarray(noisy).save(buffer, "JPEG", quality=90)
        path = folder / f"{number}.jpg"
        path.write_bytes(buffer.getvalue())
        record = Image(path=path.name, sha256="0" * 64, width=SIDE, height=SIDE)
        found.append((path, record))
    return found


def cpu(work: Callable[[Path, Image], object], files: list[tuple[Path, Image]]) -> float:
    """Returns the CPU seconds of a piece of work on every file."""
    started = time.process_time()
    for path, image in files:
        work(path, image)
    return time.process_time() - started


def main() -> int:
    """Prints the figures, writes them, and says whether the bar is met."""
    torch.set_num_threads(1)
    fast = Qwen2VLImageProcessor(size=SIZE)
    reference = Qwen2VLImageProcessorPil(size=SIZE)
    reader = PictureReader(reference)

    def theirs(path: Path, image: Image) -> object:
        with Pillow.open(path) as picture:
            return fast(picture.convert("RGB"), return_tensors="pt")

    with tempfile.TemporaryDirectory() as folder:
        files = make(Path(folder))
        equal = True
        for path, image in files:
            with Pillow.open(path) as picture:
                expected = reference(picture, return_tensors="np")["pixel_values"]
            equal &= np.array_equal(reader.read(path, image)[0], expected)
        # A new reader each time: it would keep what it has just decoded.
        pairs = [
            (cpu(theirs, files), cpu(PictureReader(reference).read, files)) for _ in range(ROUNDS)
        ]
    ratio = statistics.median(their / our for their, our in pairs)
    found = {
        "pictures": PICTURES,
        "side": SIDE,
        "fast_per_cpu_s": round(PICTURES / min(pair[0] for pair in pairs)),
        "ours_per_cpu_s": round(PICTURES / min(pair[1] for pair in pairs)),
        "ratio": round(ratio, 2),
        "equal_to_reference": bool(equal),
        "met": bool(equal and ratio >= BAR),
    }
    print(json.dumps(found, indent=2))
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    return 0 if found["met"] else 1


if __name__ == "__main__":
    sys.exit(main())
