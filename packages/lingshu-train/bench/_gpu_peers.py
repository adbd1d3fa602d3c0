"""The Hugging Face Trainer and TRL's SFTTrainer on the samples of `gpu.py`.

Both get batches of samples of like length, the longest batch first, so that a batch too large
for the memory is found out at once and halved.
"""

import gc
from collections.abc import Callable
from itertools import chain, islice
from typing import Any

import torch
from _gpu_work import ROWS, WARM, Clock, Work, endless, random_model
from torch import Tensor
from torch.utils.data import Dataset, SequentialSampler
from transformers import Trainer, TrainerCallback, TrainingArguments

from lingshu_train.runner import plan_of

BATCH = 8
"""Samples a device that are tried first."""


def batches(work: Work, size: int, count: int) -> list[int]:
    """Returns samples in the order of training: batches of like length, the longest first.

    Args:
        work: Gives the lengths.
        size: Samples of a batch.
        count: Batches of an optimizer step.
    """
    found: list[int] = []
    stream, tokens = endless(work), work.mixture.lengths.tokens
    for _ in range(WARM + work.scale.steps):
        step = sorted(islice(stream, size * count), key=lambda n: -tokens[n])
        found += step
    return found


class Samples(Dataset[dict[str, Tensor]]):
    """Samples as transformers takes them unpacked, read and decoded when they are asked for."""

    def __init__(self, work: Work, order: list[int]) -> None:
        self.rows, self.order = work.rows, order
        self.lengths = work.mixture.lengths.tokens

    def __len__(self) -> int:
        return len(self.order)

    def __getitem__(self, at: int) -> dict[str, Tensor]:
        """Returns the sample at a place of the order."""
        number = self.order[at]
        row, length = self.rows[(number,)], int(self.lengths[number])
        ids = row.input_ids[0, :length]
        labels = torch.full_like(ids, -100)
        labels[row.keep + 1] = row.targets
        shown = (ids == self.rows.mixture.codec.encoder.picture).int()
        sample = {"input_ids": ids, "labels": labels, "mm_token_type_ids": shown}
        if shown.any():
            sample |= {"pixel_values": row.pixel_values, "image_grid_thw": row.grids}
        return sample


class Padded:
    """Puts samples into a padded batch."""

    def __init__(self, pad: int) -> None:
        self.pad = pad

    def __call__(self, samples: list[dict[str, Tensor]]) -> dict[str, Tensor]:
        """Returns the batch."""

        def padded(name: str, value: int) -> Tensor:
            parts = [sample[name] for sample in samples]
            return torch.nn.utils.rnn.pad_sequence(parts, batch_first=True, padding_value=value)

        ids = padded("input_ids", self.pad)
        lengths = torch.tensor([len(sample["input_ids"]) for sample in samples])
        batch = {
            "input_ids": ids,
            "labels": padded("labels", -100),
            "mm_token_type_ids": padded("mm_token_type_ids", 0),
            "attention_mask": (torch.arange(ids.shape[1]) < lengths[:, None]).long(),
        }
        for name in ("pixel_values", "image_grid_thw"):
            parts = [sample[name] for sample in samples if name in sample]
            if parts:
                batch[name] = torch.cat(parts)
        return batch


class PackedRows(Dataset[dict[str, Tensor]]):
    """Our packed rows as inputs of transformers' model, which keeps them apart with a mask."""

    def __init__(self, work: Work, units: list[list[int]]) -> None:
        self.rows, self.units = work.rows, units

    def __len__(self) -> int:
        return len(self.units)

    def __getitem__(self, at: int) -> dict[str, Tensor]:
        """Returns a row."""
        row = self.rows[tuple(self.units[at])]
        labels = torch.full_like(row.input_ids, -100)
        labels[0, row.keep + 1] = row.targets
        return {
            "input_ids": row.input_ids, "position_ids": row.position_ids, "labels": labels,
            "pixel_values": row.pixel_values, "image_grid_thw": row.grids,
        }  # fmt: skip


class Watch(TrainerCallback):
    """Times the Trainer's steps and ends it."""

    def __init__(self, clock: Clock, order: list[list[int]]) -> None:
        self.clock, self.order = clock, order
        self.loss: Callable[[], float] = lambda: 0.0

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Notes the step."""
        if self.clock.step(self.order[state.global_step - 1], self.loss()):
            control.should_training_stop = True


class _InOrder:
    """Mixed into a Trainer: samples in the order given, and the last loss kept."""

    seen: Tensor

    def _get_train_sampler(self, *_: Any) -> Any:
        return SequentialSampler(self.train_dataset)  # type: ignore[attr-defined]

    def compute_loss(self, *given: Any, **more: Any) -> Any:
        found = super().compute_loss(*given, **more)  # type: ignore[misc]
        self.seen = found.detach()
        return found


class OrderedTrainer(_InOrder, Trainer):  # type: ignore[misc]
    """The Trainer."""


def arguments(work: Work, size: int, count: int, **more: Any) -> dict[str, Any]:
    """Returns the settings that both trainers take."""
    cuda = work.world.device.type == "cuda"
    return {
        "output_dir": "/tmp/lingshu-bench-peer", "per_device_train_batch_size": size,
        "gradient_accumulation_steps": count, "max_steps": WARM + work.scale.steps + 1,
        "learning_rate": 1e-5, "lr_scheduler_type": "cosine", "warmup_steps": 100,
        "weight_decay": 0.0, "optim": "adamw_torch_fused", "bf16": cuda, "use_cpu": not cuda,
        "gradient_checkpointing": work.stage.engine.checkpointing is True,
        "gradient_checkpointing_kwargs": {"use_reentrant": False},
        "report_to": [], "save_strategy": "no", "disable_tqdm": True, "logging_steps": 10_000,
        "remove_unused_columns": False, "dataloader_num_workers": work.stage.data.workers,
        "dataloader_pin_memory": cuda, "dataloader_drop_last": True, **more,
    }  # fmt: skip


def samples_a_step(work: Work) -> int:
    """Returns how many samples our packed steps take, on average."""
    plan = plan_of(work.mixture, work.stage, ROWS)
    return max(1, round(len(plan.documents) / len(plan)))


def _timed(trainer: Any, work: Work, order: list[list[int]], seconds: float) -> dict[str, object]:
    watch = Watch(Clock(work, seconds), order)
    watch.loss = lambda: float(trainer.seen)
    trainer.add_callback(watch)
    trainer.train()
    return watch.clock.figures()


def laddered(
    run: Callable[[int, int], dict[str, object]], work: Work, first: int
) -> dict[str, object]:
    """Runs with batches of `first` samples, and halves them while the memory does not hold them."""
    whole, size, too_large = samples_a_step(work), first, []
    while True:
        count = max(1, round(whole / size))
        try:
            return {**run(size, count), "batch": f"{size} x {count}", "too_large": too_large}
        except torch.OutOfMemoryError:
            if size == 1:
                raise
            print(f"    batches of {size}: out of memory", flush=True)
        too_large.append(size)
        size //= 2
        gc.collect()
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()


def _hf(work: Work, seconds: float, dtype: torch.dtype) -> dict[str, object]:
    def run(size: int, count: int) -> dict[str, object]:
        order = batches(work, size, count)
        steps = [order[at : at + size * count] for at in range(0, len(order), size * count)]
        trainer = OrderedTrainer(
            model=random_model(work, dtype),
            args=TrainingArguments(**arguments(work, size, count)),
            train_dataset=Samples(work, order),
            data_collator=Padded(work.processor.tokenizer.pad_token_id),
        )
        return _timed(trainer, work, steps, seconds)

    return laddered(run, work, BATCH)


def hf(work: Work, seconds: float) -> dict[str, object]:
    """The Trainer, unpacked, weights in float32 under bfloat16 autocast."""
    return _hf(work, seconds, torch.float32)


def hf_bf16(work: Work, seconds: float) -> dict[str, object]:
    """The same with weights and states of AdamW in bfloat16: half the memory, and less exact."""
    return _hf(work, seconds, torch.bfloat16)


def hf_packed(work: Work, seconds: float) -> dict[str, object]:
    """The Trainer on our packed rows: it offers none with pictures itself."""
    plan = plan_of(work.mixture, work.stage, ROWS)
    # The plan's last step of an epoch can be a short one; the Trainer's steps are all alike.
    rows = (unit.tolist() for step in range(len(plan)) for unit in plan.step(step))
    units = list(islice(rows, (WARM + work.scale.steps) * ROWS))
    steps = [list(chain(*units[at : at + ROWS])) for at in range(0, len(units), ROWS)]
    trainer = OrderedTrainer(
        model=random_model(work, torch.float32),
        args=TrainingArguments(**arguments(work, 1, ROWS)),
        train_dataset=PackedRows(work, units),
        data_collator=_first,
    )
    return {**_timed(trainer, work, steps, seconds), "batch": f"1 row x {ROWS}"}


def _first(rows: list[dict[str, Tensor]]) -> dict[str, Tensor]:
    return rows[0]


def trl(work: Work, seconds: float) -> dict[str, object]:
    """TRL, unpacked: it refuses to pack samples with pictures."""
    from datasets import Dataset as Table
    from trl import SFTConfig, SFTTrainer

    class Ordered(_InOrder, SFTTrainer):  # type: ignore[misc]
        pass

    pad = Padded(work.processor.tokenizer.pad_token_id)

    def run(size: int, count: int) -> dict[str, object]:
        order = batches(work, size, count)
        steps = [order[at : at + size * count] for at in range(0, len(order), size * count)]
        samples = Samples(work, order)
        # Tells SFTTrainer that there are pictures; the collator fetches the sample itself.
        table = Table.from_dict({"at": list(range(len(order))), "image": [""] * len(order)})
        trainer = Ordered(
            model=random_model(work, torch.float32),
            args=SFTConfig(**arguments(work, size, count), max_length=None),
            train_dataset=table,
            processing_class=work.processor,
            data_collator=Fetched(samples, pad),
        )
        return _timed(trainer, work, steps, seconds)

    found = laddered(run, work, BATCH)
    found["packing"] = _refusal(work, SFTConfig, SFTTrainer, Table)
    return found


class Fetched:
    """Reads the samples of a batch by their places."""

    def __init__(self, samples: Samples, pad: Padded) -> None:
        self.samples, self.pad = samples, pad

    def __call__(self, batch: list[dict[str, Any]]) -> dict[str, Tensor]:
        """Returns the padded batch."""
        return self.pad([self.samples[entry["at"]] for entry in batch])


def _refusal(work: Work, config: Any, trainer: Any, table: Any) -> str:
    """Returns what TRL says to packing."""
    from transformers import Qwen2_5_VLForConditionalGeneration

    build: Any = Qwen2_5_VLForConditionalGeneration._from_config
    with torch.device("meta"):
        model = build(work.config)
    try:
        trainer(
            model=model,
            args=config(**arguments(work, 1, 1), packing=True),
            train_dataset=table.from_dict({"image": [""], "text": [""]}),
            processing_class=work.processor,
        )
    except ValueError as error:
        return str(error)
    return "taken"


PEERS = {"hf": hf, "trl": trl, "hf-packed": hf_packed, "hf-bf16": hf_bf16}
