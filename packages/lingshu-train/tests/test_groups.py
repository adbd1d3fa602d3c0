"""Every parameter is in exactly one part, and the optimizer holds what trains and nothing else."""

from collections import Counter
from itertools import combinations
from pathlib import Path

import pytest
import torch
from torch import nn

from lingshu_core.errors import SettingsError
from lingshu_train.groups import audit, freeze, group_of, optimizer_groups
from lingshu_train.model import load_model
from lingshu_train.settings import GROUPS, Optimizer

SETS = [chosen for count in (1, 2, 3) for chosen in combinations(GROUPS, count)]


@pytest.fixture(params=["base", "untied"])
def model(request: pytest.FixtureRequest) -> nn.Module:
    """The tiny model with a tied head, and with one of its own."""
    folder: Path = request.getfixturevalue(request.param)
    return load_model(folder, dtype=torch.float32, device=torch.device("cpu"))


def test_every_parameter_is_in_exactly_one_part(model: nn.Module) -> None:
    members = audit(model)
    assert sum(part.tensors for part in members.values()) == len(list(model.parameters()))
    whole = sum(parameter.numel() for parameter in model.parameters())
    assert sum(part.parameters for part in members.values()) == whole


def test_the_head_and_the_embeddings_are_of_the_language_model(model: nn.Module) -> None:
    names = [name for name, _ in model.named_parameters(remove_duplicate=False)]
    ends = {"lm_head.weight", "model.language_model.embed_tokens.weight"}
    assert ends <= set(names)
    assert {group_of(name) for name in ends} == {"language"}
    assert {group_of(name) for name in names if ".merger." in name} == {"projector"}
    assert {group_of(name) for name in names if ".visual.blocks." in name} == {"vision"}


@pytest.mark.parametrize("parts", SETS)
def test_the_optimizer_holds_what_trains_and_nothing_else(
    model: nn.Module, parts: tuple[str, ...]
) -> None:
    rates = dict.fromkeys(parts, 1e-3)
    freeze(model, rates)
    groups = optimizer_groups(model, rates, Optimizer(weight_decay=0.1))
    held = Counter(id(parameter) for group in groups for parameter in group["params"])
    trained = {
        id(parameter): name for name, parameter in model.named_parameters()
        if group_of(name) in parts
    }  # fmt: skip
    assert held == Counter(dict.fromkeys(trained, 1))
    for group in groups:
        members = {group_of(trained[id(parameter)]) for parameter in group["params"]}
        assert members == {group["name"]}
        # Norms and biases are not drawn towards zero.
        decayed = {parameter.dim() > 1 for parameter in group["params"]}
        assert decayed == {group["weight_decay"] == 0.1}


def test_a_parameter_of_no_part_is_refused() -> None:
    with pytest.raises(SettingsError, match=r"audio\.weight is in no part"):
        group_of("model.audio.weight")


def test_a_parameter_of_two_parts_is_refused(model: nn.Module) -> None:
    model.model.visual.merger.mlp[0].weight = model.model.visual.blocks[0].attn.qkv.weight
    with pytest.raises(SettingsError, match="one parameter in two parts"):
        audit(model)


def test_a_part_without_parameters_is_refused(model: nn.Module) -> None:
    model.model.visual.merger = nn.Identity()
    with pytest.raises(SettingsError, match="no projector"):
        audit(model)
