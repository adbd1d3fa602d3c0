"""Pictures, records and a tiny checkpoint that the tests share; all are made here."""

import io
import os
import subprocess
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image as Pillow

from lingshu_core.digest import record_id
from lingshu_core.manifest import Manifest, Producer
from lingshu_core.manifest_writer import ManifestWriter
from lingshu_core.modality import Modality
from lingshu_core.records import (
    Caption,
    Dialogue,
    Image,
    Instruction,
    Option,
    Question,
    RecordBase,
    Report,
    Source,
    Turn,
)
from lingshu_train.initial import init_checkpoint
from lingshu_train.settings import Shape, Stage
from lingshu_train.world import World

os.environ.setdefault("OMP_NUM_THREADS", "1")
torch.set_num_threads(1)

SIZES = ((112, 112), (90, 140), (150, 84), (200, 200), (64, 96))

TINY = Shape.model_validate({
    "name": "tiny",
    "tokens": 700,
    "min_pixels": 3136,
    "max_pixels": 12544,
    "vision": {
        "depth": 2, "hidden": 32, "intermediate": 64, "heads": 2, "window": 56,
        "full_attention": [1],
    },
    "language": {
        "layers": 2, "hidden": 64, "intermediate": 96, "heads": 4, "kv_heads": 2, "tied": True,
        "positions": 2048, "rope_theta": 10000.0,
    },
})  # fmt: skip


def picture(number: int) -> tuple[bytes, tuple[int, int]]:
    """Returns the bytes of a picture that differs from all others, and its size."""
    size = SIZES[number % len(SIZES)]
    rng = np.random.default_rng(number)
    coarse = rng.integers(0, 255, (6, 6, 3), dtype=np.uint8)
    shown = Pillow.fromarray(coarse).resize(size, Pillow.Resampling.BICUBIC)
    buffer = io.BytesIO()
    shown.save(buffer, "PNG")
    return buffer.getvalue(), size


def add_picture(writer: ManifestWriter, number: int) -> Image:
    data, (width, height) = picture(number)
    ref = writer.add_file(data, suffix=".png")
    return Image(path=ref.path, sha256=ref.sha256, width=width, height=height)


def records(count: int, add: Callable[[int], Image], *, text: bool = True) -> Iterable[RecordBase]:
    """Yields records of every kind that can be learned from, in turn."""
    makers = [_open, _caption, _closed, _report, _choice, _dialogue, _two_pictures, _reasoned]
    for number in range(count):
        if text and number % 5 == 4:
            yield _text_only(number)
        else:
            yield makers[number % len(makers)](number, add)


def _base(number: int, dataset: str, **more: object) -> dict[str, object]:
    return {
        "id": record_id(dataset, str(number)),
        "source": Source(dataset=dataset, licence="CC0-1.0"),
        "modality": Modality.XRAY,
        **more,
    }


def _open(number: int, add: Callable[[int], Image]) -> RecordBase:
    return Question(
        **_base(number, "open", images=(add(number),)),
        question=f"What is seen in field {number}?", answer=f"shape {number % 3}",
        answer_kind="open",
    )  # fmt: skip


def _closed(number: int, add: Callable[[int], Image]) -> RecordBase:
    return Question(
        **_base(number, "closed", images=(add(number),)),
        question="Is there a nodule?", answer=("yes", "no")[number % 2], answer_kind="closed",
    )  # fmt: skip


def _choice(number: int, add: Callable[[int], Image]) -> RecordBase:
    options = tuple(
        Option(letter=letter, text=text)
        for letter, text in zip("ABC", ("CT", "MRI", "X-ray"), strict=True)
    )
    return Question(
        **_base(number, "choice", images=(add(number),)),
        question="Which modality is this?", answer="ABC"[number % 3], answer_kind="choice",
        options=options,
    )  # fmt: skip


def _reasoned(number: int, add: Callable[[int], Image]) -> RecordBase:
    return Question(
        **_base(number, "cot", images=(add(number),)),
        question="Is the heart enlarged?", answer="no", answer_kind="closed",
        rationale="The ratio is below one half, so the size is normal. " * (1 + number % 4),
    )  # fmt: skip


def _caption(number: int, add: Callable[[int], Image]) -> RecordBase:
    text = f"A field of shapes, number {number}. " * (1 + number % 3)
    return Caption(**_base(number, "caption", images=(add(number),)), text=text.strip())


def _report(number: int, add: Callable[[int], Image]) -> RecordBase:
    return Report(
        **_base(number, "report", images=(add(number),)),
        findings="Lungs are clear. No effusion. " * (2 + number % 5), impression="Normal.",
    )  # fmt: skip


def _two_pictures(number: int, add: Callable[[int], Image]) -> RecordBase:
    return Question(
        **_base(number, "pair", images=(add(number), add(number + 1000))),
        question="First <image> then <image>: has it grown?", answer="yes", answer_kind="closed",
    )  # fmt: skip


def _dialogue(number: int, add: Callable[[int], Image]) -> RecordBase:
    turns = (
        Turn(role="system", text="You read films."),
        Turn(role="user", text="What is this?"),
        Turn(role="assistant", text="A chest film."),
        Turn(role="user", text="And the finding?"),
        Turn(role="assistant", text=f"None, case {number}."),
    )
    return Dialogue(**_base(number, "dialogue", images=(add(number),)), turns=turns)


def _text_only(number: int) -> RecordBase:
    return Instruction(
        **{**_base(number, "text"), "modality": Modality.TEXT},
        instruction=f"Name drug {number}.", response="Aspirin. " * (1 + number % 6),
    )  # fmt: skip


def write_manifest(folder: Path, count: int, *, text: bool = True, start: int = 0) -> Path:
    """Writes a manifest of `count` records with pictures and returns its folder."""
    producer = Producer(package="tests", version="0", command="make", settings="0" * 64)
    with ManifestWriter(folder, producer=producer) as writer:
        for record in records(count, lambda n: add_picture(writer, n + start), text=text):
            writer.write(record)
    return folder


@pytest.fixture(scope="session")
def write() -> Callable[..., Path]:
    """Writes manifests: `write(folder, count, text=True, start=0)`."""
    return write_manifest


@pytest.fixture(scope="session")
def mixture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A manifest of 40 records of every kind, some without pictures."""
    return write_manifest(tmp_path_factory.mktemp("data") / "mixture", 40)


@pytest.fixture(scope="session")
def base(tmp_path_factory: pytest.TempPathFactory, mixture: Path) -> Path:
    """A checkpoint of a model with some 0.15 million random parameters and a tied head."""
    out = tmp_path_factory.mktemp("model") / "base"
    init_checkpoint(TINY, "tiny", mixture, out)
    return out


@pytest.fixture(scope="session")
def untied(tmp_path_factory: pytest.TempPathFactory, mixture: Path) -> Path:
    """The same with a head of its own."""
    out = tmp_path_factory.mktemp("model") / "untied"
    language = TINY.language.model_copy(update={"tied": False})
    init_checkpoint(TINY.model_copy(update={"language": language}), "tiny", mixture, out)
    return out


@pytest.fixture(scope="session")
def make_stage(base: Path, mixture: Path) -> Callable[..., Stage]:
    """Makes a stage for the tiny model; nested settings are given as dictionaries."""

    def make(**changes: object) -> Stage:
        settings: dict[str, object] = {
            "stage": "deep",
            "parent": str(base),
            "mixture": str(mixture),
            "dtype": "float32",
            "rates": {"vision": 1e-3, "projector": 2e-3, "language": 1e-3},
            "optimizer": {"warmup_steps": 2},
            "batch": {"accumulation": 8},
            "sequence": {"max_length": 512},
            "engine": {"kind": "torch", "checkpointing": False},
            "data": {"workers": 0},
        }
        return Stage.model_validate({**settings, **changes})

    return make


@pytest.fixture(scope="session")
def draw_lengths() -> Callable[..., NDArray[np.int32]]:
    """Draws lengths as a medical mixture has them: questions, captions, reports, long texts."""

    def draw(count: int, seed: int = 0) -> NDArray[np.int32]:
        rng = np.random.default_rng(seed)
        kind = rng.choice(5, count, p=[0.45, 0.15, 0.10, 0.25, 0.05])
        middle = np.array([220, 330, 520, 800, 1800])[kind]
        spread = np.array([0.35, 0.4, 0.4, 0.8, 0.6])[kind]
        lengths = np.exp(np.log(middle) + spread * rng.standard_normal(count))
        return np.clip(lengths, 40, 8192).astype(np.int32)

    return draw


@pytest.fixture(scope="session")
def world() -> World:
    """A rank that is alone."""
    return World(0, 1, 0, torch.device("cpu"))


@pytest.fixture
def manifest(mixture: Path) -> Manifest:
    """The manifest of 40 records, opened."""
    return Manifest(mixture)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system that holds two checkpoints and no third; skipped where none may be made."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=5400k", "tmpfs", str(disk)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True).returncode != 0:
        pytest.skip("needs the right to mount")
    yield disk
    subprocess.run(["umount", "-l", str(disk)], check=True)
