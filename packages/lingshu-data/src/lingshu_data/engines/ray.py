"""A Ray cluster: actors that each take one shard after another (`lingshu-data[ray]`).

Every machine of the cluster has to see the run's folder and the manifests under the same paths:
shards are read and written there, and only their numbers travel. An actor keeps its operators, so
that a model is loaded once in each. `RAY_ADDRESS` names the cluster; without it one is started on
this machine, for this run alone.

Actors whose task runs a model share the cluster's GPUs among them.

An actor that dies costs its shard's second run, in which it tells of every record before it takes
it up; a record at which it then dies twice is set aside.
"""

import logging
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from lingshu_core.errors import SettingsError
from lingshu_data.engine import Deaths, Engine, Task, noting

_QUIET = {
    # What is done with patients' data is nobody's business.
    "RAY_USAGE_STATS_ENABLED": "0",
    # Under `uv run` Ray would pack the working folder and build an environment of its own.
    "RAY_ENABLE_UV_RUN_RUNTIME_ENV": "0",
    # Ray's own later behaviour: it leaves the devices of an actor without one as they are.
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
}


def run(task: Task, jobs: Iterable[Any], workers: int) -> Iterator[int]:
    """Runs jobs on the actors of a cluster.

    Raises:
        SettingsError: Ray is not installed, or the cluster cannot be reached.
    """
    for name, value in _QUIET.items():
        os.environ.setdefault(name, value)
    try:
        import ray
    except ImportError:
        raise SettingsError("engine 'ray' needs lingshu-data[ray]") from None
    _join(ray, workers)
    actors = _Actors(ray, task, workers)
    try:
        yield from actors.run(iter(jobs))
    finally:
        actors.end()


def _join(ray: Any, workers: int) -> None:
    """Connects to the cluster, once for all legs of a run: a start takes seconds."""
    if ray.is_initialized():
        if ray.cluster_resources().get("CPU", 0) >= workers:
            return
        ray.shutdown()
    address = os.environ.get("RAY_ADDRESS")
    here: dict[str, Any] = {} if address else {"num_cpus": workers}
    try:
        ray.init(include_dashboard=False, log_to_driver=False, logging_level=logging.ERROR, **here)
    except ConnectionError as error:
        raise SettingsError(f"no Ray cluster at {address}: {error}") from None
    found = int(ray.cluster_resources().get("CPU", 0))
    if found < workers:
        raise SettingsError(f"--workers {workers}: the Ray cluster has {found} processors")


class _Actors:
    def __init__(self, ray: Any, task: Task, workers: int) -> None:
        self._ray = ray
        self._task = ray.put(task)
        self._workers = workers
        gpus = _gpus(task, workers, ray.cluster_resources())
        self._worker = ray.remote(num_cpus=1, num_gpus=gpus, max_restarts=0)(_Worker)
        self._places = ray.remote(num_cpus=0)(_Places).remote()
        self._hired: list[Any] = []
        self._deaths = Deaths()
        self._died: set[int] = set()
        """Jobs in which an actor has died: these are watched."""

    def run(self, jobs: Iterator[Any]) -> Iterator[int]:
        again: list[Any] = []
        idle = [self._hire() for _ in range(self._workers)]
        held: dict[Any, tuple[Any, Any]] = {}
        while True:
            while idle and (job := again.pop(0) if again else next(jobs, None)) is not None:
                actor = idle.pop()
                places = self._places if job.number in self._died else None
                held[actor.do.remote(self._task, job, places)] = actor, job
            if not held:
                return
            [ended], _ = self._ray.wait([*held], num_returns=1)
            actor, job = held.pop(ended)
            try:
                self._ray.get(ended)
            except self._ray.exceptions.RayTaskError as error:
                raise error.cause from None
            except self._ray.exceptions.RayActorError:
                again.append(self._deaths.after(job, self._place(job)))
                self._died.add(job.number)
                idle.append(self._hire())
            else:
                idle.append(actor)
                yield job.number

    def end(self) -> None:
        """Gives the processors back to the cluster."""
        for actor in (*self._hired, self._places):
            self._ray.kill(actor)

    def _hire(self) -> Any:
        self._hired.append(self._worker.remote(str(Path.cwd())))
        return self._hired[-1]

    def _place(self, job: Any) -> int:
        place: int = self._ray.get(self._places.of.remote(job.number))
        return place


def _gpus(task: Task, workers: int, resources: Mapping[str, float]) -> float:
    """Returns the share of a GPU that each actor takes: a whole one, or a part where they lack."""
    there = int(resources.get("GPU", 0)) if getattr(task, "uses_model", False) else 0
    if not there:
        return 0
    # No actor can have parts of two GPUs: each GPU takes as many as the fullest one has to.
    on_each = -(-workers // there)
    # Ray counts in parts of ten thousand; rounded up, the last actor would wait forever.
    return 1 if on_each == 1 else 10_000 // on_each / 10_000


class _Worker:
    """An actor: does one job after another."""

    def __init__(self, folder: str) -> None:
        # Before numpy is imported: small products on many threads take three times as long.
        os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
        os.chdir(folder)

    def do(self, task: Task, job: Any, places: Any) -> None:
        """Does a job, telling `places` of every record where it is given."""
        import ray

        if places is None:
            noting(None)
        else:
            noting(lambda index: ray.get(places.at.remote(job.number, index)))
        task(job)


class _Places:
    """An actor: knows at which record of its job a worker is."""

    def __init__(self) -> None:
        self._places: dict[int, int] = {}

    def at(self, job: int, index: int) -> None:
        """Notes a record."""
        self._places[job] = index

    def of(self, job: int) -> int:
        """Returns the last record that was noted of a job, -1 where there is none."""
        return self._places.pop(job, -1)


ENGINE = Engine("A Ray cluster, that of RAY_ADDRESS or one on this machine", run)
