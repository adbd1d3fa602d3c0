"""Whole runs compared, step by step: packed and unpacked, ours and the Hugging Face Trainer's."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from lingshu_core.manifest import Manifest
from lingshu_train.loader import Rows
from lingshu_train.metrics import read_notes
from lingshu_train.model import load_model
from lingshu_train.runner import collator, load_processor, open_mixture, plan_of, run_stage
from lingshu_train.settings import Stage
from lingshu_train.world import World

Make = Callable[..., Stage]

STEPS = {"epochs": 3, "batch": {"accumulation": 8}}
"""Three epochs of 32 samples: twelve steps of eight."""


@pytest.fixture(scope="module")
def thirty_two(tmp_path_factory: pytest.TempPathFactory, write: Callable[..., Path]) -> Path:
    return write(tmp_path_factory.mktemp("data") / "mixture", 32)


def losses(folder: Path) -> list[float]:
    return [note.loss for note in read_notes(folder)[0]]


def moved(folder: Path, base: Path) -> dict[str, Tensor]:
    before, after = (load_file(path / "model.safetensors") for path in (base, folder))
    return {name: after[name] - before[name] for name in before}


def apart(one: dict[str, Tensor], other: dict[str, Tensor]) -> tuple[float, float]:
    """Returns the greatest difference, and the norm of it as a share of the whole movement."""
    square = sum((one[name] - other[name]).square().sum() for name in other)
    whole = sum(value.square().sum() for value in other.values())
    most = max(float((one[name] - other[name]).abs().max()) for name in other)
    return most, float((square / whole).sqrt())


@pytest.fixture(scope="module")
def unpacked(
    tmp_path_factory: pytest.TempPathFactory, make_stage: Make, thirty_two: Path, world: World
) -> Path:
    out = tmp_path_factory.mktemp("runs") / "unpacked"
    run_stage(make_stage(mixture=str(thirty_two), **STEPS), "t", out, world)
    return out


def test_step_packing_has_the_curve_of_the_unpacked_run_over_12_steps(
    tmp_path: Path, make_stage: Make, thirty_two: Path, unpacked: Path, base: Path, world: World
) -> None:
    stage = make_stage(mixture=str(thirty_two), packing={"mode": "step"}, **STEPS)
    run_stage(stage, "t", tmp_path / "packed", world)
    packed, alone = losses(tmp_path / "packed"), losses(unpacked)
    assert len(packed) == len(alone) == 12
    assert max(abs(a - b) for a, b in zip(packed, alone, strict=True)) <= 1e-6
    most, share = apart(moved(tmp_path / "packed", base), moved(unpacked, base))
    assert most <= 1e-5 and share <= 1e-3
    rows = [note.rows for note in read_notes(tmp_path / "packed")[0]]
    assert max(rows) < 8  # the same steps, in fewer rows


def test_the_curve_of_12_steps_is_that_of_the_hugging_face_trainer(
    tmp_path: Path, make_stage: Make, thirty_two: Path, unpacked: Path, base: Path, world: World
) -> None:
    """The Trainer with its defaults for this model: one sample a device, accumulation 8."""
    from transformers import Trainer, TrainingArguments

    stage = make_stage(mixture=str(thirty_two), **STEPS)
    opened = open_mixture(Manifest(thirty_two), load_processor(base), stage, world)
    model = load_model(base, dtype=torch.float32, device=torch.device("cpu"))
    rows = Rows(opened, collator(opened.codec, model.config))
    order = plan_of(opened, stage, 8).documents.tolist()
    seen: list[float] = []

    class Oracle(Trainer):
        def _get_train_sampler(self, *_: object) -> torch.utils.data.Sampler:
            return torch.utils.data.SequentialSampler(order)

        def compute_loss(self, *given: object, **more: object) -> object:
            found = super().compute_loss(*given, **more)
            seen.append(float(found.detach()))
            return found

    rates = stage.rates.trained()
    groups = [
        {
            "params": [p for n, p in model.named_parameters() if _part(n) == part],
            "lr": rate,
        }
        for part, rate in rates.items()
    ]
    trainer = Oracle(
        model=model,
        args=TrainingArguments(
            output_dir=str(tmp_path), per_device_train_batch_size=1,
            gradient_accumulation_steps=8, num_train_epochs=1, weight_decay=0.0,
            lr_scheduler_type="cosine", warmup_steps=2, report_to=[], save_strategy="no",
            use_cpu=True, remove_unused_columns=False, disable_tqdm=True, logging_steps=1000,
        ),
        train_dataset=[_as_the_trainer_takes_it(rows, number) for number in order],
        data_collator=lambda batch: batch[0],
        optimizers=(torch.optim.AdamW(groups, weight_decay=0.0), None),
    )  # fmt: skip
    trainer.train()
    ours = losses(unpacked)
    theirs = [sum(seen[at : at + 8]) / 8 for at in range(0, 96, 8)]
    assert max(abs(a - b) for a, b in zip(ours, theirs, strict=True)) <= 1e-6
    before = load_file(base / "model.safetensors")
    named = dict(model.state_dict())
    after = {_on_disk(name): value for name, value in named.items()}
    found = {name: after[name].detach() - before[name] for name in before}
    most, share = apart(found, moved(unpacked, base))
    assert most <= 1e-5 and share <= 1e-3


def _part(name: str) -> str:
    if ".visual." not in name:
        return "language"
    return "projector" if ".merger." in name else "vision"


def _on_disk(name: str) -> str:
    """Returns the name that a parameter has in the family's files."""
    name = name.replace("model.visual.", "visual.")
    return name.replace("model.language_model.", "model.")


def _as_the_trainer_takes_it(rows: Rows, number: int) -> dict[str, Tensor]:
    row = rows[(number,)]
    length = int(rows.mixture.lengths.tokens[number])
    ids = row.input_ids[:, :length]
    labels = torch.full_like(ids, -100)
    labels[0, row.keep + 1] = row.targets
    picture = rows.mixture.codec.encoder.picture
    sample = {"input_ids": ids, "labels": labels, "attention_mask": torch.ones_like(ids)}
    if (ids == picture).any():
        sample |= {
            "pixel_values": row.pixel_values, "image_grid_thw": row.grids,
            "mm_token_type_ids": (ids == picture).int(),
        }  # fmt: skip
    return sample
