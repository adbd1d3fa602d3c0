"""`lingshu-train estimate`: what a stage takes before anything starts."""

import resource
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from lingshu_core.errors import SettingsError
from lingshu_core.manifest import Manifest, is_finished
from lingshu_core.recipe import find_recipe, load_recipe
from lingshu_train import flops
from lingshu_train.building import model_config
from lingshu_train.dealing import deal
from lingshu_train.device import Device, named_device, this_device
from lingshu_train.groups import freeze
from lingshu_train.lengths import Lengths
from lingshu_train.loader import Mixture
from lingshu_train.lora import adapt
from lingshu_train.memory import Load, Memory, Sizes, memory
from lingshu_train.metrics import duration
from lingshu_train.model import read_config
from lingshu_train.runner import load_processor, open_mixture, plan_of
from lingshu_train.settings import Shape, Stage
from lingshu_train.world import World

_REACHED = 0.4
"""Share of a GPU's operations that training is taken to reach; a measured run says more."""
_STEPS = 200
"""Steps over which the balance between ranks is looked at."""


@dataclass(frozen=True)
class Time:
    """What the mixture takes."""

    samples: int
    tokens: int
    steps: int
    balance: float
    """How much longer the dearest rank takes than the mean, over the whole stage."""
    operations: float
    hours: float | None


@dataclass(frozen=True)
class Estimate:
    """What a stage takes."""

    stage: Stage
    device: Device
    devices: int
    sizes: Sizes
    load: Load
    memory: Memory
    process: float
    """Bytes of the process itself; on a processor it counts with the rest."""
    time: Time | None
    """None where the mixture is not there."""


def estimate_stage(stage: Stage, *, devices: int | None, device: str | None) -> Estimate:
    """Estimates a stage.

    Args:
        stage: What is asked about; where its parent is not there, its shape stands for it.
        devices: On how many; None takes those of this machine, or the recipe's.
        device: What kind; None takes this machine's.

    Raises:
        SettingsError: Neither the parent nor a shape is known, or the device is not.
    """
    config = _config(stage)
    kind = named_device(device) if device else this_device(stage.dtype)
    ranks = devices or stage.batch.devices or max(1, torch.cuda.device_count())
    sizes = _sizes(config, stage)
    mixture = _mixture(stage)
    longest = stage.sequence.max_length
    load, time = Load(longest, longest, 4 * longest), None
    if mixture is not None:
        load, time = _walk(stage, config, mixture, ranks=ranks, device=kind)
    held = memory(stage, sizes, load, config, ranks=ranks)
    on_processor = device is None and not torch.cuda.is_available()
    # On a GPU the context and what lies between tensors take about as much.
    process = _process(stage) if on_processor else 1.5e9
    return Estimate(stage, kind, ranks, sizes, load, held, process, time)


def report(found: Estimate, recipe: str) -> str:
    """Returns an estimate as lines for people."""
    held = found.memory
    whole = held.total + found.process
    lines = [
        f"{recipe} on {found.devices} x {found.device.name}",
        f"parameters      {found.sizes.whole:,}, of which {found.sizes.trained:,} train",
        f"greatest row    {found.load.tokens:,} tokens, {found.load.supervised:,} learned, "
        f"{found.load.patches:,} patches",
        f"memory          {_gigabytes(whole)} of {_gigabytes(found.device.memory)} a device",
        *(f"  {name:<24}{_gigabytes(size)}" for name, size in held.device.items()),
        f"  {'the process itself':<24}{_gigabytes(found.process)}",
    ]
    if held.host:
        lines.append(f"host memory     {_gigabytes(sum(held.host.values()))} a device")
        lines += [f"  {name:<24}{_gigabytes(size)}" for name, size in held.host.items()]
    if whole > found.device.memory:
        lines.append(
            "This does not fit: take more devices, a higher engine.zero, or engine.offload."
        )
    if found.time is None:
        lines.append(
            "steps           unknown, as tokens and hours: give --set mixture=MANIFEST, and --set "
            "parent=FOLDER of any checkpoint with the same tokenizer"
        )
        return "\n".join(lines)
    time = found.time
    lines += [
        f"samples         {time.samples:,}",
        f"tokens          {time.tokens:,}",
        f"steps           {time.steps:,}",
        f"balance         the dearest rank takes {time.balance:.3f} of the mean",
        f"operations      {time.operations:.3g}",
    ]
    if time.hours is not None:
        lines.append(
            f"time            {duration(time.hours * 3600)}, where {_REACHED:.0%} of the "
            "device's operations are reached"
        )
    return "\n".join(lines)


def _config(stage: Stage) -> Any:
    folder = Path(stage.parent)
    if (folder / "config.json").is_file():
        return read_config(folder)
    if stage.shape is None:
        raise SettingsError(
            f"{stage.parent or 'the parent'} is not there: give --set parent=FOLDER, or "
            "--set shape=shapes/qwen2.5-vl-7b for one that looks alike"
        )
    return model_config(load_recipe(Shape, find_recipe("lingshu_train", stage.shape)), None)


def _sizes(config: Any, stage: Stage) -> Sizes:
    """Counts parameters on a model that takes no memory."""
    from transformers import Qwen2_5_VLForConditionalGeneration

    build: Any = Qwen2_5_VLForConditionalGeneration._from_config
    with torch.device("meta"):
        model = build(config)
    if stage.lora:
        adapt(model, stage.lora, seed=stage.seed)
    freeze(model, stage.rates.trained())
    parameters = list(model.parameters())
    trained = [parameter.numel() for parameter in parameters if parameter.requires_grad]
    layers = [*model.model.language_model.layers, *model.model.visual.blocks, model.lm_head]
    return Sizes(
        whole=sum(parameter.numel() for parameter in parameters),
        trained=sum(trained),
        layer=max(_numel(layer) for layer in layers),
        tensor=max(trained),
    )


def _numel(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def _mixture(stage: Stage) -> Mixture | None:
    parent, mixture = Path(stage.parent), Path(stage.mixture)
    there = mixture.is_file() or is_finished(mixture)
    if not there or not (parent / "config.json").is_file():
        return None
    alone = World(0, 1, 0, torch.device("cpu"))
    return open_mixture(Manifest(mixture), load_processor(parent), stage, alone)


def _walk(
    stage: Stage, config: Any, mixture: Mixture, *, ranks: int, device: Device
) -> tuple[Load, Time]:
    """Deals out some of the steps, and adds the whole stage up."""
    plan = plan_of(mixture, stage, stage.batch.size(ranks))
    lengths = mixture.lengths
    costs = flops.work(config, stage.rates.trained()).of(
        lengths.tokens, lengths.supervised, lengths.patches
    )
    taken, even, load = 0.0, 0.0, Load(0, 0, 0)
    for step in np.linspace(0, len(plan) - 1, min(len(plan), _STEPS)).astype(int):
        hands = deal(
            plan.step(int(step)),
            mode=plan.mode,
            lengths=lengths.tokens,
            costs=costs,
            capacity=stage.sequence.max_length,
            ranks=ranks,
        )
        cost = np.array([[costs[list(row)].sum() for row in hand] for hand in hands])
        # With ZeRO-3 the ranks wait for each other in every row.
        together = stage.engine.kind == "deepspeed" and stage.engine.zero == 3
        taken += cost.max(0).sum() if together else cost.sum(1).max()
        even += cost.sum() / ranks
        for hand in hands:
            for row in hand:
                load = _greater(load, lengths, list(row))
    operations = float(costs[plan.documents].sum())
    balance = taken / even
    hours = None
    if device.flops:
        hours = operations * balance / (ranks * device.flops * _REACHED) / 3600
    tokens = int(lengths.tokens[plan.documents].astype(np.int64).sum())
    return load, Time(len(plan.documents), tokens, len(plan), balance, operations, hours)


def _greater(load: Load, lengths: Lengths, row: list[int]) -> Load:
    return Load(
        max(load.tokens, int(lengths.tokens[row].sum())),
        max(load.supervised, int(lengths.supervised[row].sum())),
        max(load.patches, int(lengths.patches[row].sum())),
    )


def _process(stage: Stage) -> float:
    """Returns the memory of a process that has loaded the libraries and nothing else."""
    if stage.engine.kind == "deepspeed":
        import deepspeed  # noqa: F401
    text = Path("/proc/self/statm").read_text(encoding="ascii")
    return float(int(text.split()[1]) * resource.getpagesize())


def _gigabytes(size: float) -> str:
    return f"{size / 1e9:.2f} GB"
