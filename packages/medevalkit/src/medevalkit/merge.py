"""`medevalkit merge`: the shards of one run as one run, as if one machine had made it."""

import shutil
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from itertools import groupby
from pathlib import Path

from lingshu_core.console import say
from lingshu_core.errors import DataError, SettingsError
from lingshu_core.files import fresh_folder
from lingshu_core.records import RECORD, RecordBase
from medevalkit import journal as journals
from medevalkit.folder import (
    PREDICTIONS_NAME,
    SETTINGS_NAME,
    RunState,
    TaskState,
    items_path,
    read_settings,
    read_state,
    write_state,
)
from medevalkit.items import Items, rotated_from
from medevalkit.run import publish
from medevalkit.settings import RunSettings


def merge(folders: Sequence[Path], out: Path) -> None:
    """Writes the shards of one run into one folder; no model is opened.

    Args:
        folders: The shards, each asked to its end, in any order. An item that failed in passing
            stays unanswered; the run's own command without the shard asks for it again.
        out: The folder of the whole; must not exist.

    Raises:
        SettingsError: They are not all the shards of one run, or `out` exists.
        DataError: A shard is broken, or was not asked to its end.
    """
    shards = _in_order(folders)
    settings = read_settings(shards[0]).model_copy(update={"shard": None})
    states = [read_state(shard) for shard in shards]
    with fresh_folder(out) as folder:
        tasks = tuple(_task(shards, states, index, folder) for index in range(len(states[0].tasks)))
        state = states[0].model_copy(update={"tasks": tasks, "finished": False})
        settings.write(folder / SETTINGS_NAME)
        write_state(folder, state)
        _join_journals(shards, folder / journals.NAME)
        ended = publish(settings, state, folder)
    if ended.failed:
        say(f"{out}: {ended.failed} unanswered; `medevalkit run` without --shard asks them again")


def _in_order(folders: Sequence[Path]) -> list[Path]:
    """Returns the folders by the number of their shard."""
    found: dict[int, Path] = {}
    wanted: tuple[RunSettings, RunState] | None = None
    for folder in folders:
        settings, state = read_settings(folder), read_state(folder)
        if settings.shard is None:
            raise SettingsError(f"{folder} is no shard: it was not run with shard=(i, n)")
        if not (folder / PREDICTIONS_NAME).is_dir():
            raise DataError("is not finished: give its command again", path=folder)
        found[settings.shard[0]] = folder
        common = (
            settings.model_copy(update={"shard": (0, settings.shard[1]), "endpoint": _ANY}),
            RunState(
                model=state.model,
                fingerprint=state.fingerprint,
                tasks=_named(state),
                by_item=state.by_item,
            ),
        )
        if wanted is not None and wanted != common:
            raise SettingsError(f"{folder} and {folders[0]} are not shards of the same run")
        wanted = common
    count = read_settings(folders[0]).shard
    assert count is not None
    missing = sorted(set(range(count[1])) - set(found))
    if missing or len(found) != len(folders):
        raise SettingsError(f"there are {count[1]} shards; missing or given twice: {missing}")
    return [found[number] for number in range(count[1])]


_ANY = RunSettings(model="oracle", tasks=("any",)).endpoint


def _named(state: RunState) -> tuple[TaskState, ...]:
    """Returns the tasks by what has to be the same in every shard."""
    return tuple(
        task.model_copy(update={"items": 0, "manifest": "", "root": ""}) for task in state.tasks
    )


def _task(shards: Sequence[Path], states: Sequence[RunState], index: int, out: Path) -> TaskState:
    task = states[0].tasks[index]
    path = items_path(out, task.name)
    path.parent.mkdir(exist_ok=True)
    count = 0
    with path.open("wb") as file:
        for record in _dealt([Items(items_path(shard, task.name)) for shard in shards]):
            file.write(RECORD.serializer.to_json(record, exclude_none=True) + b"\n")
            count += 1
    return task.model_copy(update={"items": count})


def _dealt(shards: Sequence[Items]) -> Iterator[RecordBase]:
    """Yields items as they were dealt out: one of each shard in turn, rotations together."""
    groups = [groupby(shard, key=lambda item: rotated_from(item) or item.id) for shard in shards]
    live = [iter(group) for group in groups]
    while live:
        for hand in list(live):
            found = next(hand, None)
            if found is None:
                live.remove(hand)
            else:
                yield from found[1]


def _join_journals(shards: Sequence[Path], path: Path) -> None:
    with ExitStack() as stack:
        whole = stack.enter_context(path.open("wb"))
        for number, shard in enumerate(shards):
            part = stack.enter_context((shard / journals.NAME).open("rb"))
            head = part.readline()
            if number == 0:
                whole.write(head)
            shutil.copyfileobj(part, whole)
