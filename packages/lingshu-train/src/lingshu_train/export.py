"""`lingshu-train export`: a checkpoint out of what a run keeps to go on from.

For looking at a stage before it has ended, or for weights in float32.
"""

from pathlib import Path

import torch
from torch import Tensor

from lingshu_core.checkpoint import STATE_NAME, Checkpoint, describe
from lingshu_core.console import say
from lingshu_core.errors import DataError
from lingshu_core.files import fresh_folder
from lingshu_core.manifest import Manifest
from lingshu_core.recipe import SETTINGS_NAME
from lingshu_train import state
from lingshu_train.checkpoints import on_host, producer, versions, write_checkpoint
from lingshu_train.lora import adapt
from lingshu_train.model import load_model
from lingshu_train.parents import local_folder, parent_of
from lingshu_train.runner import bound_pictures, load_processor
from lingshu_train.settings import Stage


def export(run: Path, out: Path, *, step: int | None, dtype: str | None) -> None:
    """Writes a checkpoint of a step of a run.

    Args:
        run: The run's folder.
        out: Folder to write.
        step: One of the steps that are kept; None takes the last.
        dtype: `float32` or `bfloat16`; None takes the run's.

    Raises:
        DataError: There is no such step, or what is kept of it is damaged.
        SettingsError: `out` exists.
    """
    stage = _stage_of(run)
    folder, progress = _kept(run, step)
    parent = local_folder(stage.parent)
    weights = _weights(stage, parent, folder)
    wanted = getattr(torch, dtype or stage.dtype)
    processor = load_processor(parent)
    bound_pictures(processor, stage)
    with fresh_folder(out) as side:
        whole = {name: tensor.to(wanted) for name, tensor in weights.items()}
        write_checkpoint(side, parent, processor, whole, wanted)
        describe(
            side,
            Checkpoint(
                stage=stage.stage,
                recipe=f"{stage.stage}, step {progress.step}",
                producer=producer(stage, "export"),
                parents=(parent_of(parent), Manifest(stage.mixture).parent()),
                steps=progress.step,
                samples=progress.samples,
                metrics={"loss": progress.recent[-1]} if progress.recent else {},
                versions=versions(),
            ),
        )
    say(f"{out}: step {progress.step} of {run}")


def _stage_of(run: Path) -> Stage:
    path = run / SETTINGS_NAME
    if not path.is_file():
        raise DataError(f"has no {SETTINGS_NAME}: not the folder of a run", path=run)
    return Stage.model_validate_json(path.read_bytes())


def _kept(run: Path, step: int | None) -> tuple[Path, state.Progress]:
    found = state.kept(run / STATE_NAME, step)
    if found is None:
        steps = state.kept_steps(run / STATE_NAME)
        what = "no step" if step is None else f"no step {step}"
        raise DataError(f"keeps {what}; kept are: {steps or 'none'}", path=run)
    return found


def _weights(stage: Stage, parent: Path, folder: Path) -> dict[str, Tensor]:
    """Returns the parent's weights with what was trained put over them, in float32."""
    model = load_model(parent, dtype=torch.float32, device=torch.device("cpu"))
    if stage.lora:
        adapt(model, stage.lora, seed=stage.seed)
    trained = set(state.slot_names(folder))
    with state.open_slots(folder) as slots, torch.no_grad():
        for name, parameter in model.named_parameters():
            if name in trained:
                parameter.copy_(slots(name)[0])
    return on_host(((name, p.detach()) for name, p in model.named_parameters()), stage.lora)
