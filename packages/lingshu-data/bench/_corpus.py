"""Writes manifests as large as wanted: captions with pictures of their own, and questions.

A few in a hundred repeat others, by their bytes, by their looks or almost by their words, so that
every operator has something to do. The same numbers give the same bytes.
"""

import io
import random
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image as Pillow

from lingshu_core.digest import record_id
from lingshu_core.manifest import Producer
from lingshu_core.manifest_writer import ManifestWriter
from lingshu_core.records import Caption, Image, Question, RecordBase, Source

PRODUCER = Producer(package="bench", version="0", command="corpus", settings="0")
COPIES = 0.05
"""Share of records that repeat one before them."""
_VOCABULARY = 20_000
RECIPE = """
[[steps]]
operator = "picture-filter"
pictured = true
[[steps]]
operator = "picture-dedup"
pictured = true
[[steps]]
operator = "caption-length"
types = ["caption"]
[[steps]]
operator = "text-dedup"
pictured = false
"""
"""What is done to it: every kind of operator, local and across records."""


def write(out: Path, captions: int, questions: int, side: int = 96) -> Path:
    """Writes a manifest of captions with pictures of `side` pixels, and of questions without."""
    with ManifestWriter(out, producer=PRODUCER) as writer:
        for data, record in _captions(captions, side):
            ref = writer.add_file(data, suffix=".jpg")
            image = Image(path=ref.path, sha256=ref.sha256, width=side, height=side)
            writer.write(record.replace(images=(image,), modality="xray"))
        for question in _questions(questions):
            writer.write(question)
    return out


def _captions(count: int, side: int) -> Iterator[tuple[bytes, RecordBase]]:
    dice = random.Random(1)
    for number in range(count):
        shown = number
        if number > 100 and dice.random() < COPIES:
            shown = number - dice.randrange(1, 100)
        yield (
            jpeg(shown, side),
            Caption(
                id=record_id("corpus", "caption", str(number)),
                source=Source(
                    dataset=f"captions-{number % 3}", licence="CC0-1.0", rank=number % 60
                ),
                modality="text",
                text=words(number, 4 + number % 60),
            ),
        )


def _questions(count: int) -> Iterator[RecordBase]:
    dice = random.Random(2)
    for number in range(count):
        said = words(1 << 30 | number, 60)
        if number > 100 and dice.random() < COPIES:
            said = words(1 << 30 | (number - dice.randrange(1, 100)), 58) + " of this"
        yield Question(
            id=record_id("corpus", "question", str(number)),
            source=Source(dataset=f"texts-{number % 3}", licence="CC0-1.0", rank=number % 60),
            modality="text",
            question=said,
            answer="yes" if number % 2 else "no",
            answer_kind="closed",
        )


def jpeg(seed: int, side: int) -> bytes:
    """Returns a grey picture with large shapes and fine grain."""
    dice = np.random.default_rng(seed)
    coarse = Pillow.fromarray(dice.integers(20, 220, (12, 12), dtype=np.uint8))
    smooth = np.asarray(coarse.resize((side, side), Pillow.Resampling.BICUBIC)).astype(np.int16)
    grain = dice.integers(-8, 9, smooth.shape, dtype=np.int16)
    buffer = io.BytesIO()
    Pillow.fromarray(np.clip(smooth + grain, 0, 255).astype(np.uint8)).save(buffer, "JPEG")
    return buffer.getvalue()


def words(seed: int, count: int) -> str:
    """Returns words drawn as they are in texts: few of them often."""
    dice = np.random.default_rng(seed)
    ranks = (_VOCABULARY ** dice.random(count)).astype(int)
    return " ".join(f"{'abcdefghij'[rank % 10]}{'etaoinshr'[rank % 9]}{rank}" for rank in ranks)
