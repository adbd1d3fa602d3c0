"""What a run needs to go on from: kept to the side, verified, renamed, the last few of them.

    state/plan.npz
    state/step-00000120/
      state.json                 written last: what lies beside it, with hashes
      slots-00000.safetensors    float32 values and moments of what trains, whole tensors

The files know nothing of ranks or of ZeRO: a run goes on with another number of devices, with
another stage of ZeRO, or with plain PyTorch.
"""

import errno
import os
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError
from torch import Tensor

from lingshu_core.console import say
from lingshu_core.digest import digest, file_sha256
from lingshu_core.errors import DataError
from lingshu_core.files import sync_folder, write_atomic
from lingshu_train.engine import Engine, Slot
from lingshu_train.world import World

FORMAT = "lingshu-train-state/1"
PLAN_NAME = "plan.npz"
_NAME = "state.json"
_MOST = 2 << 30
_SLOTS = ("value", "exp_avg", "exp_avg_sq")


class Progress(BaseModel):
    """How far a run has come."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)

    format: str = FORMAT
    step: int = 0
    """Optimizer steps done."""
    plan: str = ""
    """Digest of the plan."""
    parent: str = ""
    """Digest of the checkpoint that the run started from: frozen parts are still taken from it."""
    settings: dict[str, object] = {}
    """What decides the weights (`Stage.deciding`)."""
    samples: int = 0
    """Learned from so far, repetitions counted."""
    tokens: int = 0
    failed: int = 0
    """Samples that could not be read when their turn came."""
    seconds: float = 0.0
    recent: list[float] = []
    """The last losses, for telling a spike."""
    files: dict[str, str] = {}
    """SHA-256 of every file beside this one."""
    check: str = ""
    """Digest of everything above."""

    def digest(self) -> str:
        """Returns the digest of everything but `check`."""
        return digest(self.model_dump(mode="json", exclude={"check"}))


def save(folder: Path, progress: Progress, engine: Engine, world: World, *, keep: int) -> None:
    """Writes a checkpoint; all ranks take part, each with its share of the tensors.

    Args:
        folder: The run's `state` folder.
        progress: What is done so far.
        engine: Gives the tensors.
        world: The ranks.
        keep: How many checkpoints stay.

    Raises:
        OSError: The disk is full; the checkpoints before this one stay whole.
    """
    target = folder / f"step-{progress.step:08}"
    side = folder / f".{target.name}.partial"
    if world.first:
        shutil.rmtree(side, ignore_errors=True)
        side.mkdir(parents=True)
    world.barrier()
    names, fault = _write_slots(side, engine, world)
    if world.sums([float(fault is not None)])[0]:
        world.barrier()
        if world.first:
            shutil.rmtree(side, ignore_errors=True)
        raise fault or OSError(errno.ENOSPC, "the disk of another rank is full", str(side))
    hashes = world.gather({name: file_sha256(side / name) for name in names})
    if world.first:
        files = {name: sha for part in hashes for name, sha in sorted(part.items())}  # type: ignore[attr-defined]
        whole = progress.model_copy(update={"files": files})
        whole.check = whole.digest()
        write_atomic(side / _NAME, whole.model_dump_json(indent=2) + "\n")
        shutil.rmtree(target, ignore_errors=True)
        side.rename(target)
        sync_folder(folder)
        _prune(folder, progress.step, keep)
    world.barrier()


def newest(folder: Path) -> tuple[Path, Progress] | None:
    """Returns the newest checkpoint of a run that is whole, or None where it has none.

    A damaged one is named on the console, and the one before it taken.

    Raises:
        DataError: All are damaged; the message names a file of the newest and what to do.
    """
    faults: list[DataError] = []
    for path in reversed(_finished(folder)):
        try:
            return path, _verified(path)
        except DataError as fault:
            faults.append(fault)
            say(f"{fault}; looking at the checkpoint before it")
    if faults:
        raise faults[0]
    return None


def kept(folder: Path, step: int | None) -> tuple[Path, Progress] | None:
    """Returns the checkpoint of a step, or the newest that is whole; None where there is none.

    Raises:
        DataError: It is damaged; the message names the file and what to do.
    """
    if step is None:
        return newest(folder)
    named = [path for path in _finished(folder) if _step(path) == step]
    return (named[0], _verified(named[0])) if named else None


def _verified(path: Path) -> Progress:
    try:
        progress = Progress.model_validate_json((path / _NAME).read_bytes())
    except ValidationError:
        raise DataError("is damaged: remove this checkpoint", path=path / _NAME) from None
    if progress.format != FORMAT:
        raise DataError(f"{progress.format!r} is not {FORMAT}, which this version reads", path=path)
    if progress.check != progress.digest():
        raise DataError("is damaged: remove this checkpoint", path=path / _NAME)
    for name, sha in progress.files.items():
        if not (path / name).is_file() or file_sha256(path / name) != sha:
            raise DataError("is damaged: remove this checkpoint", path=path / name)
    return progress


def kept_steps(folder: Path) -> list[int]:
    """Returns the steps that a run keeps."""
    return [_step(path) for path in _finished(folder)]


def restore(path: Path, progress: Progress, engine: Engine) -> None:
    """Gives an engine the tensors of a checkpoint."""
    with open_slots(path) as slots:
        engine.write(slots, progress.step)


@contextmanager
def open_slots(path: Path) -> Iterator[Callable[[str], Slot]]:
    """Gives the slots of a checkpoint by the names of their parameters."""
    from safetensors import safe_open

    with ExitStack() as stack:
        files = [
            stack.enter_context(safe_open(file, framework="pt"))
            for file in sorted(path.glob("slots-*.safetensors"))
        ]
        where = {key: file for file in files for key in file.keys()}  # noqa: SIM118

        def slots(name: str) -> Slot:
            keys = [f"{kind}/{name}" for kind in _SLOTS]
            if any(key not in where for key in keys):
                raise DataError(f"has no slot of {name}: the model is another one", path=path)
            value, first, second = (where[key].get_tensor(key) for key in keys)
            return value, first, second

        yield slots


def slot_names(path: Path) -> list[str]:
    """Returns the names of the parameters that a checkpoint holds."""
    from safetensors import safe_open

    found = []
    for file in sorted(path.glob("slots-*.safetensors")):
        with safe_open(file, framework="pt") as tensors:
            keys: list[str] = tensors.keys()
            found += [key.partition("/")[2] for key in keys if key.startswith("value/")]
    return sorted(found)


def _write_slots(side: Path, engine: Engine, world: World) -> tuple[list[str], OSError | None]:
    """Writes this rank's share: every parameter goes to the rank that has least so far.

    Returns the names of its files. A fault is returned and not raised: the other ranks still have
    to be helped to the tensors of theirs.
    """
    share = _Share(side, world.rank)
    burden = [0] * world.size
    fault: OSError | None = None
    for name, slot in engine.read():
        owner = burden.index(min(burden))
        burden[owner] += slot[0].numel()
        if owner == world.rank and fault is None:
            try:
                share.add(name, slot)
            except OSError as error:
                fault = error
    try:
        share.flush()
    except OSError as error:
        fault = fault or error
    return share.names, fault


class _Share:
    """One rank's files, closed whenever they have grown to 2 GiB."""

    def __init__(self, folder: Path, rank: int) -> None:
        self.names: list[str] = []
        self._folder = folder
        self._rank = rank
        self._held: dict[str, Tensor] = {}

    def add(self, name: str, slot: Slot) -> None:
        for kind, tensor in zip(_SLOTS, slot, strict=True):
            self._held[f"{kind}/{name}"] = tensor.detach().to("cpu", copy=True).contiguous()
        if sum(tensor.nbytes for tensor in self._held.values()) >= _MOST:
            self.flush()

    def flush(self) -> None:
        if self._held:
            name = f"slots-{self._rank:05}-{len(self.names):03}.safetensors"
            write_tensors(self._folder / name, self._held)
            self.names.append(name)
            self._held = {}


def write_tensors(path: Path, tensors: dict[str, Tensor]) -> None:
    """Writes a safetensors file that `transformers` loads; OSError where the disk is full."""
    from safetensors.torch import save_file

    with disk_faults(path):
        save_file(tensors, path, metadata={"format": "pt"})


@contextmanager
def disk_faults(path: Path) -> Iterator[None]:
    """Raises what the disk refused as OSError: safetensors and tokenizers have words for it only.

    Args:
        path: What is written.
    """
    try:
        yield
    except OSError:
        raise
    except Exception as error:
        said = re.search(r"os error (\d+)", str(error))
        if said is None:
            raise
        number = int(said[1])
        raise OSError(number, os.strerror(number), str(path)) from None


def _prune(folder: Path, step: int, keep: int) -> None:
    """Removes all but the last checkpoints up to a step, and damaged ones of steps beyond it."""
    finished = _finished(folder)
    beyond = [path for path in finished if _step(path) > step]
    for path in [*finished[: len(finished) - len(beyond)][:-keep], *beyond]:
        shutil.rmtree(path)


def _step(path: Path) -> int:
    return int(path.name.removeprefix("step-"))


def _finished(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("step-*") if (path / _NAME).is_file())
