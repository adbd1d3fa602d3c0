"""The three parts of the model that are frozen or trained at rates of their own.

Every parameter is in exactly one: the vision encoder, the projector (its merger), and the
language model, to which the embeddings and `lm_head` belong (paper, section 3.2).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from torch import nn

from lingshu_core.errors import SettingsError
from lingshu_train.settings import GROUPS, Group, Optimizer


def group_of(name: str) -> Group:
    """Returns the part that a parameter belongs to, by its full name.

    Raises:
        SettingsError: It belongs to none: the model is not of the Qwen2.5-VL family.
    """
    steps = name.split(".")
    if "visual" in steps:
        return "projector" if "merger" in steps else "vision"
    if "language_model" in steps or "lm_head" in steps:
        return "language"
    raise SettingsError(f"the parameter {name} is in no part of Qwen2.5-VL")


def freeze(model: nn.Module, rates: Mapping[Group, float]) -> None:
    """Lets only the parts with a rate train; adapters train wherever their part does.

    Where a part has adapters, its own weights stay frozen.
    """
    adapted = {group_of(name) for name, _ in model.named_parameters() if _is_adapter(name)}
    for name, parameter in model.named_parameters():
        group = group_of(name)
        parameter.requires_grad = group in rates and (group not in adapted or _is_adapter(name))


@dataclass(frozen=True)
class Members:
    """What a part consists of."""

    tensors: int
    parameters: int
    trained: int
    """How many of the parameters train."""


def audit(model: nn.Module) -> dict[Group, Members]:
    """Counts every parameter in its part.

    Raises:
        SettingsError: A part is empty, or a parameter stands in two parts.
    """
    found: dict[Group, list[nn.Parameter]] = {name: [] for name in GROUPS}
    owner: dict[int, str] = {}
    for name, parameter in model.named_parameters(remove_duplicate=False):
        group = group_of(name)
        first = owner.setdefault(id(parameter), name)
        if group_of(first) != group:
            raise SettingsError(f"{first} and {name} are one parameter in two parts")
        if first == name:
            found[group].append(parameter)
    empty = [name for name in GROUPS if not found[name]]
    if empty:
        raise SettingsError(f"the model has no {' and no '.join(empty)}")
    return {
        name: Members(
            tensors=len(parameters),
            parameters=sum(numel(parameter) for parameter in parameters),
            trained=sum(numel(parameter) for parameter in parameters if parameter.requires_grad),
        )
        for name, parameters in found.items()
    }


def optimizer_groups(
    model: nn.Module, rates: Mapping[Group, float], settings: Optimizer
) -> list[dict[str, Any]]:
    """Returns the groups for the optimizer: each part in two, with and without weight decay.

    `name` of a group is its part; the learning rate is set before every step.
    """
    groups = []
    for part in rates:
        members = [
            parameter
            for name, parameter in model.named_parameters()
            if parameter.requires_grad and group_of(name) == part
        ]
        matrices = [parameter for parameter in members if dimensions(parameter) > 1]
        vectors = [parameter for parameter in members if dimensions(parameter) <= 1]
        for chosen, decay in ((matrices, settings.weight_decay), (vectors, 0.0)):
            if chosen:
                groups.append({"params": chosen, "name": part, "lr": 0.0, "weight_decay": decay})
    return groups


def numel(parameter: nn.Parameter) -> int:
    """Returns how many numbers a parameter has, also where ZeRO-3 has shared them out."""
    return int(getattr(parameter, "ds_numel", None) or parameter.numel())


def dimensions(parameter: nn.Parameter) -> int:
    """Returns how many dimensions a parameter has, also where ZeRO-3 has shared it out."""
    return len(getattr(parameter, "ds_shape", None) or parameter.shape)


def _is_adapter(name: str) -> bool:
    return "lora_" in name
