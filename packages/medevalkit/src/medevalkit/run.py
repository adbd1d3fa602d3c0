"""`medevalkit run`: asks a model every item of its tasks, once, and scores what it said."""

import shutil
from contextlib import ExitStack
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from lingshu_core.console import say
from lingshu_core.errors import DataError, SettingsError
from lingshu_core.manifest import Manifest, Producer
from lingshu_core.manifest_writer import ManifestWriter
from medevalkit import journal as journals
from medevalkit.account import Account
from medevalkit.asking import Asking
from medevalkit.backend import BACKENDS, split_model
from medevalkit.cache import Cache
from medevalkit.collecting import Collecting, Source
from medevalkit.folder import (
    PREDICTIONS_NAME,
    SETTINGS_NAME,
    STATE_NAME,
    RunState,
    TaskState,
    items_path,
    locked,
    read_settings,
    read_state,
    write_state,
)
from medevalkit.items import Items, write_items
from medevalkit.places import data_folder
from medevalkit.settings import RunSettings
from medevalkit.task import Task, resolve


def run(settings: RunSettings, out: Path, *, data: Path | None = None) -> bool:
    """Asks a model every item of its tasks; returns whether there was anything to do.

    Args:
        settings: What is asked of which model.
        out: The run's folder; made, or gone on with.
        data: Where prepared benchmarks lie.

    Raises:
        SettingsError: A name is wrong, `out` holds another model's answers, or another process
            works in it.
        DataError: A task or the model's folder is broken.
        Stopped: Too many requests failed; the same command goes on.
    """
    tasks = resolve(settings.tasks, data_folder(data))
    backend_name, name = split_model(settings.model)
    backend = BACKENDS.get(backend_name)
    fingerprint = backend.fingerprint(name, settings)
    with locked(out):
        begun = RunState(
            model=settings.shown(),
            fingerprint=fingerprint,
            tasks=(),
            by_item=backend.by_item,
            versions={name: version(name) for name in ("lingshu-medevalkit", "lingshu-core")},
        )
        state = _begin(settings, begun, tasks, out)
        if state.finished:
            say(f"{out}: everything is answered already")
            return False
        with ExitStack() as stack:
            journal = stack.enter_context(journals.Journal(out / journals.NAME))
            cache = stack.enter_context(Cache(Path(settings.cache))) if settings.cache else None
            collecting = Collecting(Asking(settings, state), journal, cache, backend_name)
            missing = max(0, state.wanted(settings.replicas) - len(journal))
            sources = [source(out, task) for task in state.tasks]
            collecting.collect(
                sources, backend.pictures, lambda: backend.open(name, settings), missing
            )
        ended = publish(settings, state, out)
        failed = f", {ended.failed} unanswered" if ended.failed else ""
        account = f"; in all {ended.text(settings.endpoint)}" if ended.tokens_out else ""
        say(f"{out}: {collecting.asked} requests{failed}{account}")
        return True


def source(out: Path, task: TaskState) -> Source:
    """Returns where the items of a task of a run are, and their pictures."""
    path = items_path(out, task.name)
    return Source(task.name, Items(path), Manifest(path, root=task.root))


def _begin(settings: RunSettings, begun: RunState, tasks: list[Task], out: Path) -> RunState:
    """Writes what is about to be asked; keeps what an earlier start of the same run wrote."""
    before = _earlier(settings, out)
    kept = {task.name: task for task in before.tasks} if before else {}
    same = before is not None and _selection(read_settings(out)) == _selection(settings)
    states = []
    for task in tasks:
        path = items_path(out, task.name)
        old = kept.get(task.name)
        if same and old and path.is_file() and old.digest == task.manifest.digest():
            states.append(task.state(old.items))
            continue
        count = write_items(
            task.manifest,
            path,
            limit=settings.limit,
            shard=settings.shard,
            circular=settings.circular,
        )
        states.append(task.state(count))
    state = begun.model_copy(update={"tasks": tuple(states)})
    if before and before.finished and read_settings(out) == settings:
        done = state.model_copy(update={"finished": True})
        if done == before:
            return done
    settings.write(out / SETTINGS_NAME)
    write_state(out, state)
    return state


def _earlier(settings: RunSettings, out: Path) -> RunState | None:
    if not (out / STATE_NAME).is_file():
        return None
    before = read_state(out)
    if before.model != settings.shown():
        raise SettingsError(f"{out} holds answers of {before.model}: name another --out")
    return before


def _selection(settings: RunSettings) -> tuple[object, ...]:
    return settings.limit, settings.shard, settings.circular


@dataclass
class Ended(Account):
    """What a run came to, in all its starts; an answer that items share is counted once."""

    failed: int = 0
    """Answers that failed in a way that may be gone next time; the run is finished if none."""


def publish(settings: RunSettings, state: RunState, out: Path) -> Ended:
    """Ends a run whose answers are all in its journal."""
    asking = Asking(settings, state)
    folder = out / PREDICTIONS_NAME
    if folder.exists():
        shutil.rmtree(folder)
    producer = Producer(
        package="lingshu-medevalkit",
        version=version("lingshu-medevalkit"),
        command="medevalkit run",
        settings=asking.digest,
    )
    ended, counted = Ended(), set[bytes]()
    with (
        journals.Journal(out / journals.NAME) as journal,
        ManifestWriter(folder, producer=producer) as writer,
    ):
        for task in state.tasks:
            for record in Items(items_path(out, task.name)):
                for wanted in asking.wanted(task.name, record):
                    prediction = journal.prediction(wanted.prediction)
                    if prediction is None:
                        raise DataError("was not answered", path=out, record=record.id)
                    writer.write(prediction)
                    ended.failed += not journal.has(wanted.prediction)
                    if prediction.completion_tokens is not None and wanted.key not in counted:
                        counted.add(wanted.key)
                        ended.add(prediction.prompt_tokens, prediction.completion_tokens)
    write_state(out, state.model_copy(update={"finished": ended.failed == 0}))
    return ended
