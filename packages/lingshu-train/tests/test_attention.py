"""Samples that share a row do not see each other, and no call in which they would goes through."""

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from lingshu_core.errors import SettingsError
from lingshu_core.manifest import Manifest
from lingshu_train.attention import InputError, Runs, install, resolve, varlen
from lingshu_train.collate import Row, check_positions
from lingshu_train.loader import Rows
from lingshu_train.model import check_inputs, load_model, prepare, row_inputs
from lingshu_train.runner import collator, load_processor, open_mixture
from lingshu_train.settings import Stage
from lingshu_train.world import World

CPU = torch.device("cpu")
IMPLEMENTATIONS = ["varlen", "sdpa", "eager"]
TOGETHER = (0, 4, 9, 1, 6, 5, 7)
"""Pictures, text alone, two pictures, a dialogue."""


@pytest.fixture(scope="module")
def rows(make_stage: Callable[..., Stage], base: Path, mixture: Path, world: World) -> Rows:
    stage = make_stage()
    opened = open_mixture(Manifest(mixture), load_processor(base), stage, world)
    model = load_model(base, dtype=torch.float32, device=CPU)
    return Rows(opened, collator(opened.codec, model.config))


def states(model: object, row: Row) -> Tensor:
    return model.model.model(**row_inputs(row)).last_hidden_state[0]


@pytest.mark.parametrize("name", IMPLEMENTATIONS)
def test_packed_states_equal_those_of_samples_alone(rows: Rows, base: Path, name: str) -> None:
    model = prepare(
        load_model(base, dtype=torch.float32, device=CPU), implementation=name, checkpointing=False
    )
    with torch.no_grad():
        packed = states(model, rows[TOGETHER])
        alone = [
            states(model, rows[(number,)])[: rows.mixture.lengths.tokens[number]]
            for number in TOGETHER
        ]
    assert (packed[: sum(map(len, alone))] - torch.cat(alone)).abs().max() <= 1e-5
    relative = (packed[: sum(map(len, alone))] - torch.cat(alone)).norm() / packed.norm()
    assert relative <= 1e-6


@pytest.mark.parametrize("name", IMPLEMENTATIONS)
def test_states_equal_those_of_transformers_alone(rows: Rows, base: Path, name: str) -> None:
    """The reference is transformers' own call on one sample: mask, token types, no packing."""
    reference = load_model(base, dtype=torch.float32, device=CPU).eval()
    model = prepare(
        load_model(base, dtype=torch.float32, device=CPU), implementation=name, checkpointing=False
    )
    picture = rows.mixture.codec.encoder.picture
    for number in (0, 6, 7):
        row = rows[(number,)]
        with torch.no_grad():
            expected = reference.model(
                input_ids=row.input_ids,
                attention_mask=torch.ones_like(row.input_ids),
                mm_token_type_ids=(row.input_ids == picture).int(),
                pixel_values=row.pixel_values,
                image_grid_thw=row.grids,
                use_cache=False,
            ).last_hidden_state[0]
            found = states(model, row)
        assert (found - expected).norm() / expected.norm() <= 1e-6


@pytest.mark.parametrize("causal", [True, False])
@pytest.mark.parametrize("lengths", [[7], [4, 4, 4], [3, 9, 1, 40, 12], [300, 5, 290]])
def test_varlen_equals_attention_run_by_run(lengths: list[int], causal: bool) -> None:
    torch.manual_seed(0)
    count = sum(lengths)
    query = torch.randn(count, 4, 16, requires_grad=True)
    key, value = (torch.randn(count, 2, 16, requires_grad=True) for _ in range(2))
    bounds = torch.tensor([0, *torch.tensor(lengths).cumsum(0).tolist()], dtype=torch.int32)
    found = varlen(query, key, value, Runs(bounds, None), causal=causal, scale=0.25)
    parts = [
        F.scaled_dot_product_attention(
            *(part[a:b].transpose(0, 1)[None] for part in (query, key, value)),
            is_causal=causal, scale=0.25, enable_gqa=True,
        )[0].transpose(0, 1)
        for a, b in pairwise(bounds)
    ]  # fmt: skip
    expected = torch.cat(parts)
    assert torch.allclose(found, expected, atol=1e-6)
    weight = torch.randn_like(found)
    one = torch.autograd.grad((found * weight).sum(), (query, key, value))
    other = torch.autograd.grad((expected * weight).sum(), (query, key, value))
    assert all(torch.allclose(a, b, atol=1e-5) for a, b in zip(one, other, strict=True))


def test_switch_1_the_cache_left_on_is_refused(rows: Rows) -> None:
    inputs = row_inputs(rows[TOGETHER])
    with pytest.raises(InputError, match="use_cache has to be False"):
        check_inputs({name: value for name, value in inputs.items() if name != "use_cache"})


def test_switch_2_a_mask_of_ones_is_refused(rows: Rows) -> None:
    row = rows[TOGETHER]
    with pytest.raises(InputError, match="mask hides the borders"):
        check_inputs({**row_inputs(row), "attention_mask": torch.ones_like(row.input_ids)})


def test_switch_3_positions_without_the_row_of_text_are_refused(rows: Rows) -> None:
    row = rows[TOGETHER]
    with pytest.raises(InputError, match=r"\(4, 1, tokens\)"):
        check_inputs({**row_inputs(row), "position_ids": row.position_ids[1:]})


def test_switch_4_positions_of_a_text_model_are_refused(rows: Rows) -> None:
    row = rows[TOGETHER]
    with pytest.raises(InputError, match=r"\(4, 1, tokens\)"):
        check_inputs({**row_inputs(row), "position_ids": row.position_ids[0]})


def test_switch_5_a_picture_with_positions_of_a_text_is_refused(rows: Rows) -> None:
    row = rows[TOGETHER]
    flat = row.position_ids.clone()
    flat[1:] = flat[:1]
    with pytest.raises(InputError, match="positions of a text"):
        check_positions(replace(row, position_ids=flat), rows.mixture.codec.encoder.picture)


def test_positions_that_run_on_over_a_border_are_refused(rows: Rows) -> None:
    row = rows[TOGETHER]
    running = row.position_ids.clone()
    running[0] = torch.arange(row.tokens)
    with pytest.raises(InputError, match="start anew"):
        check_positions(replace(row, position_ids=running), rows.mixture.codec.encoder.picture)


def test_the_switches_really_leak_in_transformers(rows: Rows, base: Path) -> None:
    """What the guards refuse is wrong: without a word, states change by more than rounding."""
    model = load_model(base, dtype=torch.float32, device=CPU).eval()
    model.set_attn_implementation("sdpa")
    row = rows[TOGETHER]
    right = row_inputs(row)
    wrong = [
        {**right, "attention_mask": torch.ones_like(row.input_ids)},
        {**right, "use_cache": True},
        {**right, "position_ids": row.position_ids[1:]},
        {**right, "position_ids": row.position_ids[0]},
    ]
    with torch.no_grad():
        expected = model.model(**right).last_hidden_state
        for inputs in wrong:
            found = model.model(**inputs).last_hidden_state
            assert (found - expected).norm() / expected.norm() > 1e-2


def test_varlen_without_borders_is_refused(rows: Rows, base: Path) -> None:
    model = load_model(base, dtype=torch.float32, device=CPU)
    install(model, "varlen")
    inputs = row_inputs(rows[(0,)])
    for name in ("cu_seq_lens_q", "cu_seq_lens_k"):
        del inputs[name]
    with pytest.raises(InputError, match="cu_seq_lens_q"):
        model.model(**inputs)


@pytest.mark.parametrize("name", ["flash_attention_2", "flash_attention_3"])
def test_flash_attention_is_refused_where_it_is_not(name: str) -> None:
    with pytest.raises(SettingsError, match="take 'varlen'"):
        resolve(name, "cpu")


def test_an_implementation_that_cannot_keep_samples_apart_is_no_setting() -> None:
    with pytest.raises(ValueError, match="attention"):
        Stage.model_validate({
            "stage": "deep", "parent": "a", "mixture": "b", "attention": "flex_attention",
            "rates": {"vision": 1},
        })  # fmt: skip
