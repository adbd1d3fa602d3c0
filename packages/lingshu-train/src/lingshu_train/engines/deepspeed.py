"""DeepSpeed's ZeRO: optimizer states, gradients and parameters shared out over the ranks.

The recipe's groups reach DeepSpeed as an optimizer that is already built. A configuration with an
`optimizer` block would have them replaced, without a word, by one group at one rate; it is
refused, and so is a `scheduler`.
"""

import json
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn

from lingshu_core.builds import free_builds
from lingshu_core.errors import SettingsError
from lingshu_train.collate import Row
from lingshu_train.engine import EngineKind, Slot
from lingshu_train.groups import optimizer_groups
from lingshu_train.model import Supervised, dtype_of, empty_model, judging, load_model
from lingshu_train.settings import Group, Stage
from lingshu_train.world import World

_OURS = {
    "optimizer": "the learning rates of the recipe's parts would be lost",
    "scheduler": "the recipe's schedule sets the rates",
    "gradient_accumulation_steps": "the plan says how many rows a step has",
    "train_batch_size": "the recipe's batch says it",
    "train_micro_batch_size_per_gpu": "a row is what a device takes at a time",
    "gradient_clipping": "give optimizer.clip",
    "bf16": "give dtype",
    "fp16": "give dtype",
}


def configuration(stage: Stage, world: World) -> dict[str, Any]:
    """Returns DeepSpeed's settings for a stage.

    Raises:
        SettingsError: The user's file holds a block that the recipe decides.
    """
    settings = stage.engine
    on_gpu = world.device.type == "cuda"
    zero: dict[str, Any] = {
        "stage": settings.zero,
        "contiguous_gradients": True,
        "overlap_comm": on_gpu,
        "reduce_bucket_size": 1 << 28 if on_gpu else 1 << 22,
        "allgather_bucket_size": 1 << 28 if on_gpu else 1 << 22,
    }
    if settings.zero == 3:
        zero["stage3_gather_16bit_weights_on_model_save"] = False
        zero["stage3_prefetch_bucket_size"] = 1 << 26 if on_gpu else 1 << 20
        zero["stage3_param_persistence_threshold"] = 100_000 if on_gpu else 1_000
    if settings.offload != "none":
        zero["offload_optimizer"] = {"device": "cpu", "pin_memory": on_gpu}
    if settings.offload == "parameters":
        if settings.zero != 3:
            raise SettingsError("engine.offload 'parameters' needs engine.zero = 3")
        zero["offload_param"] = {"device": "cpu", "pin_memory": on_gpu}
    config: dict[str, Any] = {
        "train_micro_batch_size_per_gpu": 1,
        "gradient_accumulation_steps": 1,
        "gradient_clipping": stage.optimizer.clip or 0.0,
        "bf16": {"enabled": stage.dtype == "bfloat16"},
        "zero_optimization": zero,
        # torch's fused AdamW also runs on a processor, where offloaded states are stepped.
        "zero_force_ds_cpu_optimizer": False,
        "steps_per_print": 1 << 62,
    }
    if stage.dtype == "bfloat16":
        config["data_types"] = {"grad_accum_dtype": "fp32"}
    return _merged(config, _users(settings.config))


class DeepSpeedEngine:
    """One rank's share of the model."""

    def __init__(self, supervised: Supervised, stage: Stage, world: World) -> None:
        import deepspeed
        from torch.utils.cpp_extension import get_default_build_root

        free_builds(Path(os.environ.get("TORCH_EXTENSIONS_DIR") or get_default_build_root()))
        self.supervised = supervised
        self._world = world
        groups = optimizer_groups(supervised.model, stage.rates.trained(), stage.optimizer)
        self._names = {
            name: parameter
            for name, parameter in supervised.model.named_parameters()
            if parameter.requires_grad
        }
        optimizer = torch.optim.AdamW(
            groups, betas=stage.optimizer.betas, eps=stage.optimizer.eps, fused=True
        )
        self._engine, *_ = deepspeed.initialize(
            model=supervised, optimizer=optimizer, config=configuration(stage, world)
        )
        rates = {group.get("name") for group in self._engine.optimizer.param_groups}
        if rates != set(stage.rates.trained()):
            raise SettingsError(f"DeepSpeed replaced the recipe's groups: it has {sorted(rates)}")
        self._states = list(self._make_states())

    def losses(self, row: Row) -> Tensor:
        """Returns the loss of each supervised token."""
        found: Tensor = self._engine(row)[0]
        return found

    def judged(self, row: Row) -> tuple[Tensor, Tensor]:
        """Returns losses and which tokens were right."""
        with judging(self._engine):
            losses, right = self._engine(row)
        return losses, right

    def backward(self, loss: Tensor, *, last: bool) -> None:
        """Adds a row's gradient to those of the step."""
        self._engine.set_gradient_accumulation_boundary(last)
        # DeepSpeed takes the mean over ranks; the shares of the loss ask for the sum.
        self._engine.backward(loss * self._world.size)

    def step(self, rates: Mapping[Group, float]) -> float:
        """Updates the parameters and returns the norm of the gradient."""
        for group in self._engine.optimizer.param_groups:
            group["lr"] = rates[group["name"]]
        self._engine.step()
        return float(self._engine.get_global_grad_norm())

    def read(self) -> Iterator[tuple[str, Slot]]:
        """Yields every trained parameter's value and moments, fetched from all ranks."""
        from deepspeed.utils import safe_get_full_fp32_param, safe_get_full_optimizer_state

        for name, parameter in self._names.items():
            yield name, (
                safe_get_full_fp32_param(parameter),
                safe_get_full_optimizer_state(parameter, "exp_avg"),
                safe_get_full_optimizer_state(parameter, "exp_avg_sq"),
            )  # fmt: skip

    def write(self, slots: Callable[[str], Slot], steps: int) -> None:
        """Sets every trained parameter's value and moments."""
        from deepspeed.utils import safe_set_full_fp32_param, safe_set_full_optimizer_state

        for state in self._states:
            state["step"].fill_(float(steps))
        for name, parameter in self._names.items():
            value, first, second = (part.to(self._world.device) for part in slots(name))
            safe_set_full_fp32_param(parameter, value)
            safe_set_full_optimizer_state(parameter, first, "exp_avg")
            safe_set_full_optimizer_state(parameter, second, "exp_avg_sq")
            self._publish(parameter, value)

    def weights(self) -> Iterator[tuple[str, Tensor]]:
        """Yields every parameter as the model computes with it, fetched from all ranks."""
        import deepspeed

        for name, parameter in self.supervised.model.named_parameters():
            if not hasattr(parameter, "ds_id"):
                yield name, parameter.detach()
                continue
            with deepspeed.zero.GatheredParameters([parameter]):
                yield name, parameter.detach()

    def _make_states(self) -> Iterator[dict[str, Tensor]]:
        """Yields the states of AdamW, made here and not in its first step.

        ZeRO-1 and ZeRO-2 look the states of a parameter up through links that they set when the
        first group has been stepped, while those of the other groups do not exist yet.
        """
        zero = self._engine.optimizer
        base = zero.optimizer
        flat = getattr(zero, "fp32_partitioned_groups_flat", None)
        if flat is None:
            flat = [tensor for group in base.param_groups for tensor in group["params"]]
        for tensor in flat:
            base.state[tensor] = {
                "step": torch.zeros((), device=tensor.device),
                "exp_avg": torch.zeros_like(tensor),
                "exp_avg_sq": torch.zeros_like(tensor),
            }
            yield base.state[tensor]
        link = getattr(zero, "_lazy_init_hp_params_optimizer_state", None)
        if link is not None:
            link()

    def _publish(self, parameter: nn.Parameter, value: Tensor) -> None:
        """Has the model compute with a value."""
        import deepspeed

        if not hasattr(parameter, "ds_id"):
            parameter.data.copy_(value)
            return
        with deepspeed.zero.GatheredParameters([parameter], modifier_rank=0):
            if self._world.first:
                parameter.data.copy_(value)


def load(folder: Path, stage: Stage, world: World) -> Any:
    """Loads a checkpoint; with ZeRO-3 no device ever holds it whole.

    The first rank reads the weights into the host's memory, and hands them out one by one.
    """
    _join_deepspeed(world)
    if stage.engine.zero != 3:
        return load_model(folder, dtype=dtype_of(stage), device=world.device)
    import deepspeed

    host = torch.device("cpu")
    whole = load_model(folder, dtype=dtype_of(stage), device=host) if world.first else None
    given = dict(whole.named_parameters()) if whole is not None else {}
    with deepspeed.zero.Init(config_dict_or_path=configuration(stage, world)):
        model = empty_model(folder, dtype_of(stage))
    for name, parameter in model.named_parameters():
        with deepspeed.zero.GatheredParameters([parameter], modifier_rank=0), torch.no_grad():
            if world.first:
                parameter.copy_(given[name])
    return model


def _join_deepspeed(world: World) -> None:
    if world.device.type == "cpu":
        os.environ.setdefault("DS_ACCELERATOR", "cpu")
    # A launcher's variable, which DeepSpeed asks for where none was needed too, in every step.
    os.environ.setdefault("LOCAL_RANK", str(world.local))
    import deepspeed

    if not dist.is_initialized():
        # DeepSpeed wants a group even where a rank is alone.
        backend = "nccl" if world.device.type == "cuda" else "gloo"
        store: Any = dist.HashStore()  # type: ignore[attr-defined]
        dist.init_process_group(backend, store=store, rank=0, world_size=1)
    deepspeed.init_distributed(dist_init_required=False, verbose=False)


def _users(path: str | None) -> dict[str, Any]:
    if path is None:
        return {}
    try:
        found = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SettingsError(f"{path}: the DeepSpeed file cannot be read ({error})") from None
    if not isinstance(found, dict):
        raise SettingsError(f"{path}: the DeepSpeed file holds no object")
    for name, why in _OURS.items():
        if name in found:
            raise SettingsError(f"{path}: take {name!r} out: {why}")
    return found


def _merged(base: Mapping[str, Any], more: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for name, value in more.items():
        both = isinstance(value, dict) and isinstance(merged.get(name), dict)
        merged[name] = _merged(merged[name], value) if both else value
    return merged


ENGINE = EngineKind(load=load, build=DeepSpeedEngine)
