"""Measures the perceptual hash beside `imagehash.phash`, and compares their bits.

CPU seconds of one core, the least of several rounds that take turns, files in memory.

    python packages/lingshu-data/bench/phash.py

As in the commands and their workers, OpenBLAS has one thread: else it takes all cores for large
pictures and waits for them.
"""

import io
import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before numpy is imported

import imagehash
import numpy as np
from PIL import Image as Pillow

from lingshu_data.hashing import phash

RESULTS = Path(__file__).parent / "results" / "phash.json"
COUNT, ROUNDS, BAR = 120, 9, 1.6
GRAIN, GRAINY = 2.0, 6.0
"""Standard deviation of the grain in grey levels. It decides how long decoding takes, which both
ways share: a grey JPEG of 512 pixels has 36 KB with the first, 76 KB with the second."""
MODES = ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr", "HSV", "LAB", "I;16", "I", "F")


def phantom(seed: int, side: int, *, colour: bool = False, grain: float = GRAIN) -> Pillow.Image:
    """Draws a picture with large shapes and fine grain, as radiographs have."""
    random = np.random.default_rng(seed)
    shape = (12, 12, 3) if colour else (12, 12)
    coarse = Pillow.fromarray(random.integers(20, 220, shape, dtype=np.uint8))
    smooth = np.asarray(coarse.resize((side, side), Pillow.Resampling.BICUBIC)).astype(float)
    return Pillow.fromarray(
        np.clip(smooth + random.normal(0, grain, smooth.shape), 0, 255).astype("u1")
    )


def packed(image: Pillow.Image, kind: str) -> bytes:
    """Returns a picture as a file."""
    buffer = io.BytesIO()
    image.save(buffer, kind, **({"quality": 90} if kind == "JPEG" else {}))
    return buffer.getvalue()


def ours(data: bytes) -> int:
    """Hashes a file with the package."""
    return phash(Pillow.open(io.BytesIO(data)))


def theirs(data: bytes) -> int:
    """Hashes a file with imagehash."""
    return int(str(imagehash.phash(Pillow.open(io.BytesIO(data)))), 16)


def seconds(work: Callable[[bytes], int], files: list[bytes]) -> float:
    """Measures one round in CPU seconds."""
    started = time.process_time()
    for data in files:
        work(data)
    return time.process_time() - started


def measured(files: list[bytes]) -> dict[str, float | int]:
    """Measures both in turns."""
    least = {ours: 1e9, theirs: 1e9}
    for _ in range(ROUNDS):
        for work in least:
            least[work] = min(least[work], seconds(work, files))
    return {
        "kilobytes": round(sum(map(len, files)) / len(files) / 1000),
        "ours_a_second": round(len(files) / least[ours]),
        "imagehash_a_second": round(len(files) / least[theirs]),
        "ratio": round(least[theirs] / least[ours], 2),
        "unequal": sum(ours(data) != theirs(data) for data in files),
    }


def unequal_modes() -> dict[str, int]:
    """Compares the hashes of pictures of every mode and of many sizes, held in memory."""
    found = {}
    for mode in MODES:
        images = [phantom(seed, 90 + 37 * seed, colour=True) for seed in range(12)]
        if mode == "I;16":
            wide = [(np.asarray(image.convert("L")).astype("u2") * 200) for image in images]
            changed = [Pillow.fromarray(values) for values in wide]
        elif mode in {"I", "F"}:
            changed = [image.convert("L").convert(mode) for image in images]
        elif mode in {"HSV", "LAB"}:
            changed = [image if mode == "LAB" else image.convert("HSV") for image in images]
        else:
            changed = [image.convert(mode) for image in images]
        found[mode] = sum(
            phash(image, size) != int(str(imagehash.phash(image, size)), 16)
            for image in changed
            for size in (8, 16)
        )
    return found


def main() -> None:
    """Writes the measurements, and exits with 1 where a bar is missed."""
    kinds = {
        "512 px JPEG, grey": [packed(phantom(n, 512), "JPEG") for n in range(COUNT)],
        "512 px JPEG, grey, grainy": [
            packed(phantom(n, 512, grain=GRAINY), "JPEG") for n in range(COUNT)
        ],
        "1024 px JPEG, grey": [packed(phantom(n, 1024), "JPEG") for n in range(COUNT // 3)],
        "1024 px JPEG, colour": [
            packed(phantom(n, 1024, colour=True), "JPEG") for n in range(COUNT // 4)
        ],
        "512 px PNG, grey": [packed(phantom(n, 512), "PNG") for n in range(COUNT)],
    }
    found = {"speed": {name: measured(files) for name, files in kinds.items()}}
    found["unequal_by_mode"] = unequal_modes()
    RESULTS.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(found, indent=1))
    unequal = sum(found["unequal_by_mode"].values())
    unequal += sum(int(row["unequal"]) for row in found["speed"].values())
    ratio = found["speed"]["512 px JPEG, grey"]["ratio"]
    sys.exit("a bar is missed" if unequal or ratio < BAR else 0)


if __name__ == "__main__":
    main()
