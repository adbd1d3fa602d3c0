"""`lingshu run`: a recipe of commands, each run again only when what it depends on has changed.

    name = "nano"
    out = "runs/nano"
    [vars]
    seed = 0
    [steps.ingest]
    run = ["lingshu-data", "ingest", "nano", "--out", "{out}", "--set", "seed={seed}"]
    [steps.curate]
    run = ["lingshu-data", "curate", "{ingest}", "--out", "{out}"]

In a command, `{out}` is the step's own folder, `{NAME}` the folder of an earlier step or a value
of `[vars]`, `{run}` the folder of the run and `{here}` the folder of the recipe. What a step
depends on is read off these names, so that nothing can be forgotten.
"""

import contextlib
import fcntl
import json
import os
import re
import shlex
import signal
import sys
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, entry_points, version
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, Field, ValidationError

from lingshu_core import fingerprint
from lingshu_core.console import say
from lingshu_core.digest import digest
from lingshu_core.errors import LingshuError, SettingsError, Stopped
from lingshu_core.files import partial_folder, remove_folder, write_atomic
from lingshu_core.page import PAGE_NAME, Section, write_page
from lingshu_core.panels import STATS_NAME, read_stats
from lingshu_core.process import Commands, Result
from lingshu_core.recipe import Recipe, load_recipe, nearest

_NAME = r"^[a-z][a-z0-9-]*$"
_PLACEHOLDER = re.compile(r"\{([A-Za-z][A-Za-z0-9_-]*)\}")
_RESERVED = {"out", "run", "here"}
STATE = ".lingshu"
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_STOPPED = {Stopped.exit_code, *(-n for n in _SIGNALS), *(128 + n for n in _SIGNALS)}
"""Exit statuses of what was stopped: a signal as the system tells it, and as a shell does."""


class Step(Recipe):
    """One command."""

    run: tuple[str, ...] = Field(min_length=1)
    """The command and its arguments, with placeholders."""
    title: str = ""
    """Heading on the page; the command's own title where it is empty."""
    page: bool = True
    """Whether the page shows what the command tells of its work."""


class Pipeline(Recipe):
    """A recipe of steps."""

    name: str
    out: str
    """Folder of the run."""
    title: str = ""
    lead: str = ""
    """What the page says below its title."""
    vars: dict[str, str | int | float | bool] = Field(default_factory=dict)
    steps: dict[str, Step] = Field(min_length=1)


class Done(BaseModel):
    """What is kept of a finished step."""

    key: str
    """Digest of everything it depended on."""
    output: str
    """Identity of what it wrote."""
    seconds: float
    peak_mb: float
    """Greatest resident memory of the command, in MiB."""


@dataclass(frozen=True)
class _Job:
    """A step with its placeholders filled in."""

    name: str
    step: Step
    argv: tuple[str, ...]
    out: Path
    depends: tuple[str, ...]
    """The earlier steps whose output it reads."""


def load_pipeline(path: Path, overrides: Sequence[str] = ()) -> Pipeline:
    """Reads a recipe of steps; an override `key=value` without dots sets one of its `[vars]`."""
    try:
        declared = tomllib.loads(path.read_text(encoding="utf-8")).get("vars", {})
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"{path}: the recipe cannot be read: {error}") from None
    mapped = []
    known = {"out", *(declared if isinstance(declared, dict) else ())}
    for override in overrides:
        key, sep, text = override.partition("=")
        key = key.strip()
        if not sep:
            raise SettingsError(f"the override {override!r} is not of the form key=value")
        if key not in known:
            raise SettingsError(f"{path}: {key!r} is no setting{nearest(key, known)}")
        # As the user wrote it: a version 1.10 is no number.
        mapped.append(f"{'out' if key == 'out' else f'vars.{key}'}={json.dumps(text)}")
    return load_recipe(Pipeline, path, mapped)


def run_pipeline(
    path: Path, overrides: Sequence[str] = (), *, at_once: int = 1, dry_run: bool = False
) -> None:
    """Runs the steps of a recipe that are not up to date and writes the run's page.

    The page is written too where a step fails: it shows what was done until then.

    Args:
        path: The recipe.
        overrides: `key=value` for its `[vars]`.
        at_once: Steps that run at the same time, where none waits for another; the processor's
            cores are shared out among them.
        dry_run: Says what would run, and runs nothing.

    Raises:
        SettingsError: The recipe is wrong, or another process is running it.
        Stopped: A step was stopped and can be resumed.
        LingshuError: A step failed; its exit status is kept.
    """
    pipeline = load_pipeline(path, overrides)
    run = Path(pipeline.out)
    jobs = _jobs(pipeline, run, path.parent)
    if dry_run:
        _Runner(jobs, run, at_once).look()
        return
    with _alone(run):
        try:
            ran = _Runner(jobs, run, at_once).work()
        finally:
            if _page_is_old(run, path):
                _write_page(pipeline, jobs, run)
    if not ran:
        say(f"{pipeline.name}: nothing to do, all {len(jobs)} steps are up to date")
    say(f"page: {run / PAGE_NAME}")


@contextlib.contextmanager
def _alone(run: Path) -> Iterator[None]:
    state = run / STATE
    state.mkdir(parents=True, exist_ok=True)
    lock = os.open(state, os.O_RDONLY)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise SettingsError(f"another process is running {run}: wait for it") from None
        yield
    finally:
        os.close(lock)


def _jobs(pipeline: Pipeline, run: Path, here: Path) -> list[_Job]:
    jobs: list[_Job] = []
    values = {name: _text(value) for name, value in pipeline.vars.items()}
    taken = sorted(values.keys() & _RESERVED)
    if taken:
        raise SettingsError(f"{taken[0]!r} cannot name a setting: it stands for a folder")
    known = {**values, "run": str(run), "here": str(here)}
    steps: set[str] = set()
    for name, step in pipeline.steps.items():
        if not re.match(_NAME, name) or name in _RESERVED or name in values:
            raise SettingsError(f"{name!r} cannot name a step: taken, or not like `deep-alignment`")
        out = run / name
        names = {**known, "out": str(out)}
        argv = tuple(_fill(token, names, name) for token in step.run)
        used = {found for token in step.run for found in _PLACEHOLDER.findall(token)}
        jobs.append(_Job(name, step, argv, out, tuple(sorted(used & steps))))
        known[name] = str(out)
        steps.add(name)
    return jobs


def _text(value: str | int | float | bool) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _fill(token: str, names: dict[str, str], step: str) -> str:
    def value(match: re.Match[str]) -> str:
        name = match.group(1)
        if name not in names:
            raise SettingsError(
                f"step {step!r}: {{{name}}} stands for nothing{nearest(name, names)}"
            )
        if not names[name]:
            raise SettingsError(f"step {step!r} needs a value: give --set {name}=…")
        return names[name]

    return _PLACEHOLDER.sub(value, token)


class _Runner:
    """Takes the steps in order, each as soon as all that it reads is there."""

    def __init__(self, jobs: Sequence[_Job], run: Path, at_once: int) -> None:
        self._run = run
        self._count = len(jobs)
        self._at_once = at_once
        self._waiting = dict(enumerate(jobs, 1))
        self._outputs: dict[str, str | None] = {}
        """Of the steps that are done; None where it is not known, as a dry run does not run."""

    def look(self) -> None:
        """Says which steps would run."""
        for number, job in list(self._waiting.items()):
            known = all(self._outputs[name] is not None for name in job.depends)
            if not known or not self._kept(number, job, self._key(job)):
                self._outputs[job.name] = None
                _announce(number, self._count, job, "runs")

    def work(self) -> int:
        """Runs the steps that are not up to date, and returns how many those were."""
        ran = 0
        begun: dict[str, tuple[_Job, str]] = {}
        with Commands() as commands:
            while self._waiting or commands:
                number, job = next(self._ready(), (0, None))
                if job is None or len(commands) == self._at_once:
                    name, result = commands.next()
                    self._outputs[name] = _end(*begun[name], self._run, result).output
                    continue
                key = self._key(job)
                if self._kept(number, job, key):
                    continue
                _announce(number, self._count, job, "runs")
                _begin(job, self._run, key)
                commands.start(job.name, job.argv, threads=self._threads())
                begun[job.name] = self._waiting.pop(number), key
                ran += 1
        return ran

    def _ready(self) -> Iterator[tuple[int, _Job]]:
        for number, job in self._waiting.items():
            if all(name in self._outputs for name in job.depends):
                yield number, job

    def _threads(self) -> int | None:
        return None if self._at_once == 1 else max(1, (os.cpu_count() or 1) // self._at_once)

    def _key(self, job: _Job) -> str:
        return _key(job, self._run, self._outputs)

    def _kept(self, number: int, job: _Job, key: str) -> bool:
        done = _done(self._run, job.name)
        if not (done and done.key == key and job.out.exists() and _intact(job, done)):
            return False
        self._outputs[job.name] = done.output
        self._waiting.pop(number)
        _announce(number, self._count, job, "kept")
        return True


def _begin(job: _Job, run: Path, key: str) -> None:
    started = run / STATE / f"{job.name}.started"
    if not started.is_file() and job.out.exists():
        raise SettingsError(f"{job.out} was not made by this run: remove it, or choose another out")
    begun = started.read_text(encoding="utf-8") if started.is_file() else ""
    if begun != key or _done(run, job.name):
        # It was begun with other settings, or finished and then changed. Killed in here, it has to
        # come here again: what is half removed may still look finished to the command.
        write_atomic(started, "")
        _state(run, job.name).unlink(missing_ok=True)
        _remove(job.out)
        write_atomic(started, key)


def _end(job: _Job, key: str, run: Path, result: Result) -> Done:
    if result.status != 0:
        raise _failure(job, result.status)
    if not job.out.exists():
        raise SettingsError(f"step {job.name!r} ended well but did not write {job.out}")
    done = Done(
        key=key,
        output=fingerprint.of_output(job.out),
        seconds=round(result.seconds, 2),
        peak_mb=round(result.peak_mb, 1),
    )
    write_atomic(_state(run, job.name), done.model_dump_json(indent=2) + "\n")
    return done


def _failure(job: _Job, status: int) -> LingshuError:
    if status in _STOPPED:
        return Stopped(f"step {job.name!r} was stopped; the same command goes on there")
    if status == -signal.SIGKILL:
        why = "was killed, by the system where memory ran out"
        return Stopped(f"step {job.name!r} {why}; the same command goes on there")
    how = f"signal {-status}" if status < 0 else f"exit status {status}"
    error = LingshuError(f"step {job.name!r} failed ({how}): {shlex.join(job.argv)}")
    error.exit_code = status if status in {2, 3} else 1
    return error


def _key(job: _Job, run: Path, outputs: dict[str, str | None]) -> str:
    inputs = {name: outputs[name] for name in job.depends}
    for token in job.argv[_words(job.argv) :]:
        candidate = token.rpartition("=")[2]
        path = Path(candidate)
        # What lies in the run's folder is known by its step; what holds it would never be the same.
        if candidate and _is_there(path) and _apart(path.resolve(), run.resolve()):
            inputs[candidate] = fingerprint.of_input(path)
    return digest({"argv": job.argv, "inputs": inputs, "version": _version(job.argv)})


def _words(argv: tuple[str, ...]) -> int:
    """Returns how many words name a command and its verb: a file called `run` is no input."""
    if "-m" in argv:
        return argv.index("-m") + 3
    return 1 if argv[0] == "python" else 2


def _apart(path: Path, run: Path) -> bool:
    return not path.is_relative_to(run) and not run.is_relative_to(path)


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):
        return False  # a text too long, or otherwise not fit, for a path


def _version(argv: tuple[str, ...]) -> str:
    """Returns the version of the distribution behind a command, or behind a module under `-m`."""
    command = argv[0]
    if "-m" in argv[:-1]:
        # As in `torchrun --nproc-per-node 2 -m lingshu_train run`.
        with contextlib.suppress(PackageNotFoundError):
            module = argv[argv.index("-m") + 1]
            return f"{module} {version(module.partition('.')[0])}"
    if command == "python":
        return sys.version
    for point in entry_points(group="console_scripts", name=command):
        if point.dist is not None:
            return f"{point.dist.name} {point.dist.version}"
    return ""


def _intact(job: _Job, done: Done) -> bool:
    try:
        return fingerprint.of_output(job.out) == done.output
    except (LingshuError, OSError):
        return False


def _remove(out: Path) -> None:
    for path in (out, partial_folder(out)):
        if path.is_dir() and not path.is_symlink():
            remove_folder(path)
        else:
            path.unlink(missing_ok=True)


def _state(run: Path, name: str) -> Path:
    return run / STATE / f"{name}.json"


def _done(run: Path, name: str) -> Done | None:
    try:
        return Done.model_validate_json(_state(run, name).read_bytes())
    except (OSError, ValidationError):
        return None


def _announce(number: int, count: int, job: _Job, what: Literal["runs", "kept"]) -> None:
    shown = shlex.join(job.argv) if what == "runs" else "up to date"
    say(f"[{number}/{count}] {job.name}: {shown}")


def _page_is_old(run: Path, recipe: Path) -> bool:
    page, done = run / PAGE_NAME, list((run / STATE).glob("*.json"))
    if not done or not page.is_file():
        return bool(done)
    return any(page.stat().st_mtime_ns <= path.stat().st_mtime_ns for path in (recipe, *done))


def _write_page(pipeline: Pipeline, jobs: Sequence[_Job], run: Path) -> None:
    sections = []
    for job in jobs:
        done = _done(run, job.name)
        if not job.step.page or done is None or not (job.out / STATS_NAME).is_file():
            continue
        stats = read_stats(job.out)
        if job.step.title:
            stats = stats.model_copy(update={"title": job.step.title})
        facts = {
            "command": " ".join(job.step.run[: max(2, _words(job.argv))]),
            "took": f"{done.seconds:.1f} s",
            "memory": f"{done.peak_mb:.0f} MiB",
        }
        sections.append(Section(stats, job.out, facts))
    write_page(
        run / PAGE_NAME,
        title=pipeline.title or pipeline.name,
        lead=pipeline.lead,
        sections=sections,
    )
