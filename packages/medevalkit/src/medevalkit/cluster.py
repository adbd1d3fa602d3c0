"""`medevalkit run --ray ADDRESS`: one run in parts on the machines of a Ray cluster.

A part is a shard of the run in a folder of its own beside `out`, done by one Ray task that holds
the GPUs of one engine; at the end they are merged, with the bytes of a run on one machine. Every
machine has to see the run's folder, the tasks and the model under the same paths; only settings
travel. The key of an endpoint does not: it has to be in each machine's environment.
"""

import logging
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lingshu_core.console import say
from lingshu_core.errors import SettingsError, Stopped
from medevalkit.backend import split_model
from medevalkit.extras import needed
from medevalkit.folder import STATE_NAME, read_state
from medevalkit.merge import merge
from medevalkit.places import data_folder
from medevalkit.run import run
from medevalkit.settings import RunSettings
from medevalkit.task import resolve

_QUIET = {
    # What is done with patients' data is nobody's business.
    "RAY_USAGE_STATS_ENABLED": "0",
    # Under `uv run` Ray would pack the working folder and build an environment of its own.
    "RAY_ENABLE_UV_RUN_RUNTIME_ENV": "0",
    # Ray's own later behaviour: it leaves the devices of a task without one as they are.
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
}
_ON_GPUS = frozenset({"vllm", "hf"})
_RETRIES = 2
"""Times that a part is begun anew when its worker dies: its journal keeps what was answered."""


def run_on_ray(
    settings: RunSettings, out: Path, address: str, *, parts: int | None, data: Path | None
) -> bool:
    """Asks a model every item on a cluster; returns whether there was anything to do.

    Args:
        settings: What is asked of which model; no shard.
        out: The run's folder; appears when every part is done. Parts lie in `.OUT.parts/`.
        address: Of the cluster, `auto` for the one that this machine belongs to, or `local` for one
            that is started for this run alone.
        parts: How many; one for each engine that the cluster has GPUs for, else one a machine.
        data: Where prepared benchmarks lie.

    Raises:
        SettingsError: Ray is missing, the cluster cannot be reached or is too small, or `out` was
            begun on one machine.
        Stopped: A part stopped before its end; the same command goes on.
    """
    if settings.shard is not None:
        raise SettingsError("--ray divides the run itself: leave --shard out")
    if (out / STATE_NAME).is_file():
        if not read_state(out).finished:
            raise SettingsError(f"{out} was begun on one machine: go on without --ray")
        say(f"{out}: everything is answered already")
        return False
    data = data_folder(data).resolve()
    # Prepared here, once, and not by every part at the same time.
    resolve(settings.tasks, data)
    ray = _joined(address, parts)
    try:
        gpus = _gpus_of_a_part(ray, settings)
        folder = out.parent / f".{out.name}.parts"
        count = _begun(folder) or parts or _room(ray, gpus)
        names = [folder / f"{number}-of-{count}" for number in range(count)]
        say(f"{out}: {count} parts" + (f" of {gpus} GPUs" if gpus else ""))
        _ask(ray, settings, names, gpus, data)
    finally:
        ray.shutdown()
    merge(names, out)
    shutil.rmtree(folder)
    return True


def _joined(address: str, parts: int | None) -> Any:
    for name, value in _QUIET.items():
        os.environ.setdefault(name, value)
    ray = needed("ray", extra="ray")
    here: dict[str, Any] = {"num_cpus": parts} if address == "local" and parts else {}
    try:
        ray.init(
            address=address,
            include_dashboard=False,
            log_to_driver=False,
            logging_level=logging.ERROR,
            **here,
        )
    except (ConnectionError, ValueError, RuntimeError) as error:
        raise SettingsError(f"no Ray cluster at {address}: {error}") from None
    return ray


def _gpus_of_a_part(ray: Any, settings: RunSettings) -> int:
    """Returns the GPUs that one engine needs; 0 where the model runs elsewhere or there are none.

    Raises:
        SettingsError: The engine needs more than the cluster has.
    """
    there = int(ray.cluster_resources().get("GPU", 0))
    if not there or split_model(settings.model)[0] not in _ON_GPUS:
        return 0
    wanted = settings.engine.tensor_parallel * settings.engine.data_parallel
    if wanted > there:
        raise SettingsError(f"an engine of {wanted} GPUs is wanted, and the cluster has {there}")
    return wanted


def _room(ray: Any, gpus: int) -> int:
    if gpus:
        return int(ray.cluster_resources()["GPU"]) // gpus
    return sum(bool(node["Alive"]) for node in ray.nodes())


def _begun(folder: Path) -> int | None:
    """Returns into how many parts an earlier start has divided the run."""
    found = (re.fullmatch(r"\d+-of-(\d+)", path.name) for path in folder.glob("*"))
    return next((int(one[1]) for one in found if one), None)


def _ask(ray: Any, settings: RunSettings, folders: list[Path], gpus: int, data: Path) -> None:
    part = ray.remote(num_cpus=1, num_gpus=gpus, max_retries=_RETRIES)(_part)
    here = str(Path.cwd())
    told = settings.model_dump_json()
    work = {
        part.remote(here, told, str(folder.resolve()), number, len(folders), str(data)): number
        for number, folder in enumerate(folders)
    }
    failed = []
    for number, error in _ended(ray, work):
        if error is None:
            say(f"part {number + 1} of {len(folders)} is done")
        elif isinstance(error, Stopped | ray.exceptions.RayError):
            failed.append(f"part {number + 1}: {error}")
        else:
            raise error
    if failed:
        raise Stopped(f"{'; '.join(failed)}; the same command goes on")


def _ended(ray: Any, work: dict[Any, int]) -> Iterator[tuple[int, Exception | None]]:
    """Yields the parts as they end, each with what went wrong in it."""
    left = list(work)
    while left:
        [ended], left = ray.wait(left, num_returns=1)
        try:
            ray.get(ended)
        except ray.exceptions.RayTaskError as error:
            yield work[ended], error.cause
        except ray.exceptions.RayError as error:
            yield work[ended], error
        else:
            yield work[ended], None


def _part(here: str, told: str, folder: str, number: int, count: int, data: str) -> None:
    """Does one part, on whatever machine this is."""
    os.chdir(here)
    settings = RunSettings.model_validate_json(told)
    run(settings.model_copy(update={"shard": (number, count)}), Path(folder), data=Path(data))
    if not read_state(Path(folder)).finished:
        raise Stopped("requests failed in passing")
