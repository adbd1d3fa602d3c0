"""`lingshu-train check`: what has to be right, tried on the user's own model and data.

Every check is a function that returns what it found and raises where that is wrong.
"""

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file
from torch import Tensor

from lingshu_core.errors import LingshuError
from lingshu_core.messages import to_messages
from lingshu_core.records import RecordBase
from lingshu_train import groups
from lingshu_train.attention import InputError, resolve
from lingshu_train.checkpoints import on_host, write_checkpoint
from lingshu_train.collate import Row, check_positions
from lingshu_train.dealing import deal
from lingshu_train.encode import UnfitError
from lingshu_train.heldout import chat
from lingshu_train.loader import Rows
from lingshu_train.loss import Totals, token_weights
from lingshu_train.model import Supervised, check_inputs, dtype_of, load_model, prepare, row_inputs
from lingshu_train.pictures import BROKEN
from lingshu_train.runner import Sources, collator, plan_of
from lingshu_train.world import World

_RECORDS = 16
"""Records that are looked at closely."""
_TOGETHER = 5
"""Samples that are packed."""
_UNITS = 4
"""Samples, or full rows, of a step that are dealt out."""


class WrongError(Exception):
    """A check found something wrong; the message says what, and what to do."""


@dataclass(frozen=True)
class Result:
    """How a check came out."""

    name: str
    passed: bool
    found: str


class Bench:
    """What the checks work on, made when the first of them asks for it."""

    def __init__(self, sources: Sources, world: World) -> None:
        self.sources = sources
        self.world = world

    @cached_property
    def supervised(self) -> Supervised:
        """The parent, frozen as the recipe says, on this rank's device."""
        stage = self.sources.stage
        model = load_model(self.sources.parent, dtype=dtype_of(stage), device=self.world.device)
        groups.freeze(model, stage.rates.trained())
        name = resolve(stage.attention, self.world.device.type)
        return prepare(model, implementation=name, checkpointing=stage.engine.checkpointing)

    @cached_property
    def rows(self) -> Rows:
        """Makes rows of the mixture."""
        mixture = self.sources.mixture
        return Rows(mixture, collator(mixture.codec, self.supervised.model.config))

    @cached_property
    def numbers(self) -> list[int]:
        """Some samples, the longest ones left out: half with pictures where there are such."""
        lengths = self.sources.mixture.lengths
        drawn = np.argsort(lengths.draw, kind="stable")
        fitting = drawn[lengths.tokens[drawn] <= np.median(lengths.tokens)]
        shown = fitting[lengths.patches[fitting] > 0].tolist()
        plain = fitting[lengths.patches[fitting] == 0].tolist()
        return [*shown[: _RECORDS // 2], *plain[: _RECORDS // 2], *shown[_RECORDS // 2 :]][
            :_RECORDS
        ]

    @cached_property
    def records(self) -> list[RecordBase]:
        """Their records."""
        return [self.sources.mixture.record(number) for number in self.numbers]

    def row(self, numbers: list[int]) -> Row:
        """Returns a row on the device; WrongError where a sample of it cannot be read."""
        row = self.rows[tuple(numbers)]
        if row.failed:
            raise WrongError(f"{row.failed[0].record}: {row.failed[0].reason}")
        return row.to(self.world.device)

    def gradients(self, rows: list[Row]) -> tuple[float, dict[str, Tensor]]:
        """Returns the loss of some rows together, and the gradients of what trains."""
        totals = sum((Totals.of(row) for row in rows), Totals())
        whole = 0.0
        self.supervised.zero_grad()
        for row in rows:
            weights = token_weights(row, totals, "document")
            loss = (self.supervised(row)[0] * weights).sum()
            loss.backward()
            whole += float(loss.detach())
        found = {
            name: parameter.grad.float().cpu()
            for name, parameter in self.supervised.model.named_parameters()
            if parameter.grad is not None
        }
        self.supervised.zero_grad()
        return whole, found


def lengths_are_those_of_the_samples(bench: Bench) -> str:
    """The lengths that are kept beside the mixture are those of the samples."""
    lengths, codec = bench.sources.mixture.lengths, bench.sources.mixture.codec
    for number, record in zip(bench.numbers, bench.records, strict=True):
        sample = codec.encode(record)
        kept = (lengths.tokens[number], lengths.supervised[number], lengths.patches[number])
        if kept != (sample.tokens, sample.supervised, sample.patches):
            raise WrongError(f"{record.id}: kept as {kept}: remove the mixture's .lengths folder")
    aside = len(lengths.set_aside)
    return f"{len(lengths):,} samples, {aside:,} set aside; {len(bench.records)} measured again"


def ids_are_those_of_the_template(bench: Bench) -> str:
    """The ids are those that the checkpoint's chat template gives."""
    codec, processor = bench.sources.mixture.codec, bench.sources.processor
    compared = 0
    for record in bench.records:
        messages = to_messages(record)
        if any("<|" in message.text for message in messages):
            continue  # a text that spells a control token is meant to differ
        text = processor.apply_chat_template([chat(m) for m in messages], tokenize=False)
        shown = [piece.image for m in messages for piece in m.content if piece.image]
        for image in shown:
            grid = codec.pictures.grid(image.width, image.height)
            count = grid.tokens(codec.pictures.merge)
            text = text.replace("<|image_pad|>", "<|placeholder|>" * count, 1)
        text = text.replace("<|placeholder|>", "<|image_pad|>")
        expected = processor.tokenizer(text).input_ids
        sample = codec.encode(record)
        if sample.ids.tolist() != expected[: sample.tokens]:
            raise WrongError(f"{record.id}: the template gives other ids")
        compared += 1
    return f"{compared} samples compared"


def pictures_are_those_of_the_processor(bench: Bench) -> str:
    """Patches are those of transformers' Pillow processor, bit for bit."""
    from PIL import Image as Pillow
    from transformers import AutoImageProcessor

    codec, manifest = bench.sources.mixture.codec, bench.sources.mixture.manifest
    load: Any = AutoImageProcessor.from_pretrained
    reference = load(bench.sources.parent, backend="pil")
    reference.size = bench.sources.processor.image_processor.size
    compared = 0
    for record in bench.records:
        for image in record.images:
            path = manifest.file(image, record=record.id)
            try:
                values, grid = codec.pictures.read(path, image)
                with Pillow.open(path) as picture:
                    expected = reference(picture, return_tensors="np")
            except BROKEN as error:
                raise WrongError(f"{record.id}: {image.path}: {error}") from None
            if expected["image_grid_thw"].tolist() != [[1, grid.height, grid.width]]:
                raise WrongError(f"{record.id}: {image.path} has another grid")
            if not np.array_equal(values, expected["pixel_values"]):
                raise WrongError(f"{record.id}: {image.path} has other patches")
            compared += 1
    return f"{compared} pictures compared" if compared else "the samples have no pictures"


def every_parameter_is_in_one_part(bench: Bench) -> str:
    """Every parameter is in exactly one part, and trains only where its part does."""
    rates = bench.sources.stage.rates.trained()
    members = groups.audit(bench.supervised.model)
    for name, parameter in bench.supervised.model.named_parameters():
        if parameter.requires_grad != (groups.group_of(name) in rates):
            raise WrongError(f"{name} is not frozen or trained as its part")
    how = {name: f"at {rates[name]:g}" if name in rates else "frozen" for name in members}
    return ", ".join(f"{name} {part.parameters:,} {how[name]}" for name, part in members.items())


def packed_equals_separate(bench: Bench) -> str:
    """Samples in one row have the loss and the gradient that they have alone."""
    numbers = bench.numbers[:_TOGETHER]
    packed = bench.gradients([bench.row(numbers)])
    alone = bench.gradients([bench.row([number]) for number in numbers])
    loss, gradient = abs(packed[0] - alone[0]), _distance(packed[1], alone[1])
    most = 1e-6 if bench.sources.stage.dtype == "float32" else 3e-2
    found = f"loss differs by {loss:.1e}, gradient by {gradient:.1e} of its norm"
    if loss > most * max(1.0, abs(alone[0])) or gradient > most:
        raise WrongError(f"{found}: this attention does not keep samples apart here")
    return found


def frozen_parts_have_no_gradient(bench: Bench) -> str:
    """A frozen part has no gradient, and everything else has one."""
    _, gradients = bench.gradients([bench.row(bench.numbers[:2])])
    for name, parameter in bench.supervised.model.named_parameters():
        if parameter.requires_grad != (name in gradients):
            raise WrongError(f"{name} has {'no' if parameter.requires_grad else 'a'} gradient")
    return f"{len(gradients)} tensors with a gradient"


def text_alone_leaves_vision_alone(bench: Bench) -> str:
    """A row without a picture runs the vision encoder and gives it a gradient of exactly zero."""
    lengths = bench.sources.mixture.lengths
    plain = np.flatnonzero(lengths.patches == 0)
    row = bench.row([int(plain[0])]) if len(plain) else bench.rows[()].to(bench.world.device)
    _, gradients = bench.gradients([row])
    shown = {n: g for n, g in gradients.items() if groups.group_of(n) != "language"}
    trained = {"vision", "projector"} & set(bench.sources.stage.rates.trained())
    if trained and not shown:
        raise WrongError("the vision encoder did not run")
    if any(gradient.any() for gradient in shown.values()):
        raise WrongError("a row without pictures moves the vision encoder")
    return f"{len(shown)} gradients of zero"


def silent_switches_are_refused(bench: Bench) -> str:
    """Each way of calling the model that lets samples leak without a word is refused."""
    row = bench.rows[tuple(bench.numbers[:2])]
    inputs = row_inputs(row)
    wrong = {
        "a mask of ones": {**inputs, "attention_mask": torch.ones_like(row.input_ids)},
        "the cache left on": {name: inputs[name] for name in inputs if name != "use_cache"},
        "positions without the row of text": {**inputs, "position_ids": row.position_ids[1:]},
        "positions of a text model": {**inputs, "position_ids": row.position_ids[0]},
    }
    for name, given in wrong.items():
        _refused(name, partial(check_inputs, given))
    picture = bench.sources.mixture.codec.encoder.picture
    flat = row.position_ids.clone()
    flat[1:] = flat[:1]
    if (row.input_ids == picture).sum() > len(row.grids):
        _refused(
            "pictures with positions of a text",
            lambda: check_positions(replace(row, position_ids=flat), picture),
        )
    return "five of five"


def what_is_saved_is_loaded(bench: Bench) -> str:
    """A checkpoint written and loaded again has the same weights."""
    model = bench.supervised.model
    weights = on_host(((name, p.detach()) for name, p in model.named_parameters()), None)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder)
        dtype = dtype_of(bench.sources.stage)
        write_checkpoint(path, bench.sources.parent, bench.sources.processor, weights, dtype)
        again = load_model(path, dtype=dtype, device=torch.device("cpu"))
        names = sum(len(load_file(file)) for file in path.glob("*.safetensors"))
    for name, parameter in again.named_parameters():
        if not torch.equal(parameter, weights[name]):
            raise WrongError(f"{name} came back with other values")
    return f"{names} tensors"


def the_plan_is_the_same_twice(bench: Bench) -> str:
    """The order follows from mixture, tokenizer and settings alone."""
    stage, mixture = bench.sources.stage, bench.sources.mixture
    size = stage.batch.size(bench.world.size)
    first, second = (plan_of(mixture, stage, size) for _ in range(2))
    if first.digest() != second.digest():
        raise WrongError("two plans differ")
    return f"{len(first):,} steps of {size}, digest {first.digest()[:12]}"


def a_step_is_the_same_on_any_ranks(bench: Bench) -> str:
    """However a step is dealt out, it takes its samples once, and their weights add up to 1."""
    stage, mixture = bench.sources.stage, bench.sources.mixture
    lengths = mixture.lengths
    plan = plan_of(mixture, stage, stage.batch.size(bench.world.size))
    units = plan.step(0)[:_UNITS]
    expected = sorted(int(number) for unit in units for number in unit)
    for ranks in (1, 2, 3):
        hands = deal(
            units, mode=plan.mode, lengths=lengths.tokens, ranks=ranks,
            costs=lengths.tokens.astype(np.float64), capacity=stage.sequence.max_length,
        )  # fmt: skip
        rows = [bench.rows[numbers] for hand in hands for numbers in hand]
        taken = [number for row in rows for number in row.samples]
        failed = [fault.sample for row in rows for fault in row.failed]
        if sorted(taken + failed) != expected:
            raise WrongError(f"{ranks} ranks take {len(taken)} of {len(expected)} samples")
        totals = sum((Totals.of(row) for row in rows), Totals())
        parts = [token_weights(row, totals, stage.loss.norm).double().sum() for row in rows]
        whole = float(sum(parts))
        if taken and abs(whole - 1) > 1e-5:
            raise WrongError(f"on {ranks} ranks the weights of a step add up to {whole:.6f}")
    return f"{len(expected)} samples on 1, 2 and 3 ranks, loss by {stage.loss.norm!r}"


def the_engine_takes_the_groups(bench: Bench) -> str:
    """DeepSpeed's file holds nothing that would replace the recipe's groups or schedule."""
    stage = bench.sources.stage
    if stage.engine.kind != "deepspeed":
        return f"engine {stage.engine.kind!r}"
    from lingshu_train.engines.deepspeed import configuration

    zero = configuration(stage, bench.world)["zero_optimization"]["stage"]
    return f"ZeRO-{zero}, groups {', '.join(stage.rates.trained())}"


CHECKS: tuple[Callable[[Bench], str], ...] = (
    lengths_are_those_of_the_samples,
    ids_are_those_of_the_template,
    pictures_are_those_of_the_processor,
    the_plan_is_the_same_twice,
    a_step_is_the_same_on_any_ranks,
    the_engine_takes_the_groups,
    every_parameter_is_in_one_part,
    frozen_parts_have_no_gradient,
    packed_equals_separate,
    silent_switches_are_refused,
    text_alone_leaves_vision_alone,
    what_is_saved_is_loaded,
)


def run_checks(sources: Sources, world: World) -> Iterator[Result]:
    """Yields how each check came out, in order."""
    bench = Bench(sources, world)
    for check in CHECKS:
        name = check.__name__.replace("_", " ")
        try:
            yield Result(name, True, check(bench))
        except (WrongError, InputError, UnfitError, LingshuError) as error:
            yield Result(name, False, str(error))


def _refused(name: str, call: Callable[[], None]) -> None:
    try:
        call()
    except InputError:
        return
    raise WrongError(f"{name}: not refused")


def _distance(one: dict[str, Tensor], other: dict[str, Tensor]) -> float:
    square = sum(float((one[name] - other[name]).square().sum()) for name in other)
    norm = sum(float(gradient.square().sum()) for gradient in other.values())
    return float((square / norm) ** 0.5)
