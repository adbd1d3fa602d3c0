"""What the contenders of `gpu.py` share: samples, the model, the stage, and the clock."""

import io
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image as Pillow

from lingshu_core.digest import record_id
from lingshu_core.manifest import Manifest, Producer
from lingshu_core.manifest_writer import ManifestWriter
from lingshu_core.modality import Modality
from lingshu_core.recipe import find_recipe, load_recipe
from lingshu_core.records import Caption, Image, Instruction, Question, RecordBase, Report, Source
from lingshu_train import flops
from lingshu_train.building import (
    build_processor,
    corpus_texts,
    learn_tokenizer,
    model_config,
)
from lingshu_train.device import peak_flops
from lingshu_train.loader import Mixture, Rows
from lingshu_train.runner import collator, load_processor, open_mixture
from lingshu_train.settings import Shape, Stage
from lingshu_train.world import World

ROWS = 8
"""Packed rows of one optimizer step; the others take as many samples."""
WARM = 2
"""Steps that are not counted."""
_SYLLABLES = ("ra", "pul", "mo", "nar", "le", "sion", "car", "di", "tho", "rax", "ne", "phro", "li",
              "ver", "ti", "bi", "a", "fem", "or", "gas", "tro", "he", "pa")  # fmt: skip


@dataclass(frozen=True)
class Scale:
    """How large everything is: as on the GPU, or small enough to try the script without one."""

    shape: str
    length: int
    samples: int
    side: int
    """Of a picture, in pixels."""
    words: float
    """Multiplies the lengths of texts."""
    steps: int
    dtype: str


FULL = Scale("shapes/qwen2.5-vl-3b", 8192, 400, 448, 1.0, 6, "bfloat16")
SMALL = Scale("nano/model", 512, 100, 112, 0.12, 2, "float32")


def write_mixture(folder: Path, scale: Scale) -> None:
    """Writes short questions, captions, reports, long texts and reasoned answers as a manifest."""
    producer = Producer(package="bench", version="0", command="gpu", settings="0" * 64)
    with ManifestWriter(folder / "mixture", producer=producer) as writer:
        for number in range(scale.samples):
            writer.write(_record(writer, number, scale))


def write_processor(folder: Path, scale: Scale) -> None:
    """Writes the tokenizer of those texts, the picture processor and the configuration."""
    shape = load_recipe(Shape, find_recipe("lingshu_train", scale.shape))
    manifest = Manifest(folder / "mixture")
    tokenizer = learn_tokenizer(corpus_texts(manifest), min(shape.tokens, 2048))
    build_processor(tokenizer, shape).save_pretrained(folder / "parent")
    model_config(shape, tokenizer).save_pretrained(folder / "parent")


def random_words(rng: np.random.Generator, count: int) -> str:
    """Returns a sentence of words that mean nothing."""
    words = ("".join(rng.choice(_SYLLABLES, rng.integers(2, 4))) for _ in range(count))
    return " ".join(words).capitalize() + "."


def _record(writer: ManifestWriter, number: int, scale: Scale) -> RecordBase:
    rng = np.random.default_rng(number)
    kind = int(rng.choice(5, p=[0.45, 0.15, 0.10, 0.25, 0.05]))
    base: dict[str, Any] = {
        "id": record_id("bench", str(number)),
        "source": Source(dataset="bench", licence="CC0-1.0"),
        "modality": Modality.TEXT if kind == 3 else Modality.XRAY,
    }

    def text(least: int, most: int) -> str:
        return random_words(rng, max(3, int(rng.integers(least, most) * scale.words)))

    if kind == 3:
        return Instruction(**base, instruction=text(40, 300), response=text(40, 700))
    base["images"] = (_picture(writer, rng, scale.side),)
    if kind == 1:
        return Caption(**base, text=text(20, 120))
    if kind == 2:
        return Report(**base, findings=text(60, 250), impression=text(10, 40))
    rationale = text(200, 900) if kind == 4 else None
    return Question(
        **base, question=text(8, 40), answer="yes", answer_kind="closed", rationale=rationale
    )


def _picture(writer: ManifestWriter, rng: np.random.Generator, side: int) -> Image:
    coarse = rng.integers(0, 255, (9, 9, 3), dtype=np.uint8)
    shown = Pillow.fromarray(coarse).resize((side, side), Pillow.Resampling.BICUBIC)
    buffer = io.BytesIO()
    shown.save(buffer, "JPEG", quality=90)
    ref = writer.add_file(buffer.getvalue(), suffix=".jpg")
    return Image(path=ref.path, sha256=ref.sha256, width=side, height=side)


@dataclass(frozen=True)
class Work:
    """Samples, processor and settings, opened."""

    scale: Scale
    stage: Stage
    world: World
    config: Any
    processor: Any
    mixture: Mixture
    rows: Rows

    def operations(self, numbers: list[int]) -> float:
        """Returns what training on some samples takes, as the console counts it."""
        lengths, at = self.mixture.lengths, np.array(numbers)
        work = flops.work(self.config, self.stage.rates.trained())
        found = work.of(lengths.tokens[at], lengths.supervised[at], lengths.patches[at])
        return float(found.sum())

    def tokens(self, numbers: list[int]) -> int:
        """Returns the tokens of some samples."""
        return int(self.mixture.lengths.tokens[np.array(numbers)].sum())


def open_work(
    folder: Path, scale: Scale, *, checkpointing: bool | str = True, workers: int = 0
) -> Work:
    """Opens what `write_mixture` and `write_processor` left."""
    cuda = torch.cuda.is_available()
    world = World(0, 1, 0, torch.device("cuda", 0) if cuda else torch.device("cpu"))
    stage = Stage.model_validate({
        "stage": "instruction",
        "parent": str(folder / "parent"),
        "mixture": str(folder / "mixture"),
        "epochs": 50,
        "dtype": scale.dtype,
        "rates": {"vision": 2e-6, "projector": 1e-5, "language": 1e-5},
        "batch": {"accumulation": ROWS},
        "sequence": {"max_length": scale.length},
        "packing": {"mode": "full"},
        "loss": {"norm": "token_row"},
        "engine": {"kind": "torch", "checkpointing": checkpointing},
        "data": {"workers": workers},
    })  # fmt: skip
    from transformers import AutoConfig

    processor = load_processor(folder / "parent")
    config = AutoConfig.from_pretrained(folder / "parent")
    mixture = open_mixture(Manifest(stage.mixture), processor, stage, world)
    rows = Rows(mixture, collator(mixture.codec, config))
    return Work(scale, stage, world, config, processor, mixture, rows)


def random_model(work: Work, dtype: torch.dtype) -> Any:
    """Returns a model with random weights, made where it will be trained."""
    from transformers import Qwen2_5_VLForConditionalGeneration

    torch.manual_seed(0)
    build: Any = Qwen2_5_VLForConditionalGeneration
    with torch.device(work.world.device):
        model = build(work.config)
    for parameter in model.parameters():
        # Buffers stay in float32, as they do where a checkpoint is loaded.
        parameter.data = parameter.data.to(dtype)
    model.config.use_cache = False
    if work.world.device.type == "cuda":
        torch.cuda.empty_cache()
    return model


class EnoughError(Exception):
    """All steps were taken."""


@dataclass
class Clock:
    """Times optimizer steps, some to warm up and some that count."""

    work: Work
    seconds: float
    """After which no further step is taken."""
    started: float = field(default_factory=time.monotonic)
    at: list[float] = field(default_factory=list)
    samples: list[list[int]] = field(default_factory=list)
    losses: list[float] = field(default_factory=list)

    def step(self, samples: list[int], loss: float) -> bool:
        """Notes a step that is done; returns whether it was the last."""
        if self.work.world.device.type == "cuda":
            torch.cuda.synchronize()
        self.at.append(time.monotonic())
        self.samples.append(samples)
        self.losses.append(loss)
        print(f"    step {len(self.at)}: {self.at[-1] - self.started:.1f} s, loss {loss:.4f}",
              flush=True)  # fmt: skip
        late = time.monotonic() - self.started > self.seconds and len(self.at) > 1
        return late or len(self.at) == WARM + self.work.scale.steps

    def figures(self) -> dict[str, object]:
        """Returns tokens a second, share of the peak, and memory."""
        warm = min(WARM, len(self.at) - 1)
        counted = [number for step in self.samples[warm:] for number in step]
        seconds = self.at[-1] - self.at[warm - 1]
        device = self.work.world.device
        peak = peak_flops(device, self.work.stage.dtype)
        rate = self.work.operations(counted) / seconds
        found: dict[str, object] = {
            "steps_counted": len(self.at) - warm,
            "samples_a_step": round(len(counted) / (len(self.at) - warm)),
            "seconds_a_step": round(seconds / (len(self.at) - warm), 3),
            "tokens_per_s": round(self.work.tokens(counted) / seconds),
            "teraflops": round(rate / 1e12, 1),
            "mfu": round(rate / peak, 4) if peak else None,
            "first_loss": round(self.losses[0], 4),
            "last_loss": round(self.losses[-1], 4),
        }
        if device.type == "cuda":
            free, total = torch.cuda.mem_get_info()
            found["peak_allocated_gb"] = round(torch.cuda.max_memory_allocated() / 1e9, 2)
            found["device_used_gb"] = round((total - free) / 1e9, 2)
        return found


def endless(work: Work) -> Iterator[int]:
    """Yields numbers of samples, in the order of seeded epochs."""
    for epoch in range(1000):
        rng = np.random.default_rng([7, epoch])
        yield from (int(n) for n in rng.permutation(len(work.mixture.lengths.tokens)))


def write(folder: Path, name: str, found: object) -> None:
    """Writes a contender's figures at once, so that a cut loses no other's."""
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(found, indent=2) + "\n"
    (folder / f"{name}.json").write_text(text, encoding="utf-8")
