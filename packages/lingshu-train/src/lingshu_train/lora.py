"""Low-rank adapters on the language model, merged into it where a checkpoint is written."""

import re
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from lingshu_core.errors import SettingsError
from lingshu_train.settings import Lora

_ADAPTER = "default"


def adapt(model: Any, settings: Lora, *, seed: int) -> None:
    """Puts adapters beside linear layers of the language model.

    The vision encoder has layers of the same names; they are left alone. What adapters begin with
    is drawn from the seed: the same on every rank, and again in a run that is started anew.

    Raises:
        SettingsError: The extra `lora` is not installed, or no layer has such a name.
    """
    try:
        from peft import LoraConfig, inject_adapter_in_model
    except ImportError:
        raise SettingsError("lora needs the extra `lora`: install 'lingshu-train[lora]'") from None
    names = "|".join(re.escape(name) for name in settings.targets)
    pattern = rf".*language_model\.layers\.\d+\.\w+\.({names})"
    if not any(re.fullmatch(pattern, name) for name, _ in model.named_modules()):
        raise SettingsError(f"lora.targets {list(settings.targets)} name no layer of the model")
    config = LoraConfig(
        r=settings.rank, lora_alpha=settings.alpha, target_modules=pattern, bias="none"
    )
    with torch.random.fork_rng(devices=()):
        torch.manual_seed(seed)
        inject_adapter_in_model(config, model, adapter_name=_ADAPTER)


def merged(weights: Mapping[str, Tensor], settings: Lora) -> dict[str, Tensor]:
    """Returns weights as the model had them before it got adapters, with these added in.

    Args:
        weights: By the names of an adapted model: `….q_proj.base_layer.weight` and
            `….q_proj.lora_A.default.weight`.
        settings: The recipe's.
    """
    scale = settings.alpha / settings.rank
    found = {}
    for name, weight in weights.items():
        if ".lora_" in name:
            continue
        layer, _, what = name.rpartition(".base_layer.")
        if layer and what == "weight":
            down = weights[f"{layer}.lora_A.{_ADAPTER}.weight"].float()
            up = weights[f"{layer}.lora_B.{_ADAPTER}.weight"].float()
            weight = (weight.float() + scale * up @ down).to(weight.dtype)
        found[f"{layer}.{what}" if layer else name] = weight
    return found
