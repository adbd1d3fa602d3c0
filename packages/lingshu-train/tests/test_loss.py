"""Weights add up to 1 over the global batch; packed rows have the losses and gradients of samples
alone."""

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Literal

import pytest
import torch
from torch import Tensor, nn

from lingshu_core.manifest import Manifest
from lingshu_train import loss as losses
from lingshu_train.loader import Rows
from lingshu_train.loss import Totals, greedy_right, sample_means, supervised_losses, token_weights
from lingshu_train.model import Supervised, load_model, prepare
from lingshu_train.runner import collator, load_processor, open_mixture
from lingshu_train.settings import Norm, Stage
from lingshu_train.world import World

CPU = torch.device("cpu")
NORMS: tuple[Norm, ...] = ("document", "token_row", "token_global", "sqrt")
SAMPLES = (0, 4, 9, 1, 6, 5, 7, 3)


@pytest.fixture(scope="module")
def rows(make_stage: Callable[..., Stage], base: Path, mixture: Path, world: World) -> Rows:
    opened = open_mixture(Manifest(mixture), load_processor(base), make_stage(), world)
    model = load_model(base, dtype=torch.float32, device=CPU)
    return Rows(opened, collator(opened.codec, model.config))


def fresh(
    base: Path, name: str = "varlen", *, checkpointing: bool | Literal["vision"] = False
) -> Supervised:
    model = load_model(base, dtype=torch.float32, device=CPU)
    return prepare(model, implementation=name, checkpointing=checkpointing)


def step(model: Supervised, rows: list, norm: Norm) -> tuple[float, dict[str, Tensor]]:
    totals = sum((Totals.of(row) for row in rows), Totals())
    whole = 0.0
    for row in rows:
        losses, weights = model(row)[0], token_weights(row, totals, norm)
        (losses * weights).sum().backward()
        # The last place of a float32 is half of the 1e-6 that is asked for.
        whole += float(losses.detach().double() @ weights.double())
    return whole, {name: p.grad for name, p in model.named_parameters() if p.grad is not None}


def distance(one: dict[str, Tensor], other: dict[str, Tensor]) -> float:
    assert one.keys() == other.keys()
    square = sum((one[name] - other[name]).square().sum() for name in other)
    return float((square / sum(value.square().sum() for value in other.values())).sqrt())


@pytest.mark.parametrize("norm", NORMS)
def test_the_weights_of_a_step_add_up_to_one(rows: Rows, norm: Norm) -> None:
    parts = [rows[SAMPLES[:3]], rows[SAMPLES[3:5]], rows[()], rows[SAMPLES[5:]]]
    totals = sum((Totals.of(row) for row in parts), Totals())
    whole = sum(token_weights(row, totals, norm).double().sum() for row in parts)
    assert float(whole) == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize(
    ("norm", "expected"),
    [
        ("document", lambda n: 1 / (2 * n)),
        ("token_global", lambda n: 1 / 10),
        ("token_row", lambda n: 1 / 10),
        ("sqrt", lambda n: n**-0.5 / (2**0.5 + 8**0.5)),
    ],
)
def test_weights_by_hand(rows: Rows, norm: Norm, expected: Callable[[int], float]) -> None:
    from dataclasses import replace

    row = replace(
        rows[SAMPLES[:2]], counts=(2, 8), owner=torch.tensor([0] * 2 + [1] * 8),
        keep=torch.arange(10), targets=torch.arange(10),
    )  # fmt: skip
    found = token_weights(row, Totals.of(row), norm).tolist()
    assert found == pytest.approx([expected(2)] * 2 + [expected(8)] * 8)


@pytest.mark.parametrize("norm", ["document", "token_global", "sqrt"])
@pytest.mark.parametrize("name", ["varlen", "sdpa", "eager"])
def test_packed_equals_separate_to_1e_6_in_loss_and_gradient(
    rows: Rows, base: Path, name: str, norm: Norm
) -> None:
    packed = step(fresh(base, name), [rows[SAMPLES]], norm)
    alone = step(fresh(base, name), [rows[(number,)] for number in SAMPLES], norm)
    assert packed[0] == pytest.approx(alone[0], abs=1e-6)
    assert distance(packed[1], alone[1]) <= 1e-6


@pytest.mark.parametrize("again", [True, "vision"])
def test_activations_computed_again_give_the_same_gradient(
    rows: Rows, base: Path, again: bool | Literal["vision"]
) -> None:
    plain = step(fresh(base), [rows[SAMPLES]], "document")
    model = fresh(base, checkpointing=again)
    layers = [*model.model.model.language_model.layers, *model.model.model.visual.blocks]
    twice = [layer.gradient_checkpointing for layer in layers]
    assert twice == [again is True] * 2 + [True] * 2
    found = step(model, [rows[SAMPLES]], "document")
    assert all(torch.equal(plain[1][name], found[1][name]) for name in plain[1])


def test_a_row_without_pictures_gives_vision_a_gradient_of_exactly_zero(
    rows: Rows, base: Path
) -> None:
    row = rows[(4, 9)]
    assert row.grids.tolist() == [[1, 2, 2]]
    _, gradients = step(fresh(base), [row], "document")
    shown = {name: g for name, g in gradients.items() if ".visual." in name}
    assert len(shown) > 10
    assert not any(gradient.any() for gradient in shown.values())


def test_an_empty_row_changes_nothing(rows: Rows, base: Path) -> None:
    alone = step(fresh(base), [rows[SAMPLES]], "document")
    padded = step(fresh(base), [rows[SAMPLES], rows[()]], "document")
    assert padded[0] == alone[0]
    assert all(torch.equal(alone[1][name], padded[1][name]) for name in alone[1])


def test_logits_exist_only_for_what_is_learned(rows: Rows, base: Path) -> None:
    model, seen = fresh(base), []
    model.model.lm_head.register_forward_hook(lambda *given: seen.append(given[2].shape[0]))
    row = rows[SAMPLES]
    model(row)
    assert seen == [len(row.targets)] and len(row.targets) < row.tokens


def test_losses_in_chunks_are_those_of_all_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(0)
    head, hidden = nn.Linear(8, 30, bias=False), torch.randn(50, 8, requires_grad=True)
    targets = torch.randint(30, (50,))
    whole = supervised_losses(hidden, head, targets)
    one = torch.autograd.grad(whole.sum(), (hidden, head.weight))
    right = greedy_right(hidden, head, targets)
    monkeypatch.setattr(losses, "CHUNK", 7)
    parts = supervised_losses(hidden, head, targets)
    other = torch.autograd.grad(parts.sum(), (hidden, head.weight))
    assert torch.allclose(whole, parts, atol=1e-6)
    assert all(torch.allclose(a, b, atol=1e-5) for a, b in zip(one, other, strict=True))
    assert torch.equal(right, greedy_right(hidden, head, targets))


def test_sample_means_are_means_over_each_sample(rows: Rows, base: Path) -> None:
    row = rows[SAMPLES]
    found = fresh(base)(row)[0].detach()
    edges = [0, *torch.tensor(row.counts).cumsum(0).tolist()]
    expected = torch.stack([found[a:b].mean() for a, b in pairwise(edges)])
    assert torch.allclose(sample_means(found, row), expected)
