"""The answers of a run beside their items, whether it has ended or not."""

from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

from lingshu_core.errors import DataError
from lingshu_core.manifest import Manifest, is_finished
from lingshu_core.records import Prediction, RecordBase
from medevalkit import journal as journals
from medevalkit.asking import Asking
from medevalkit.folder import (
    PREDICTIONS_NAME,
    RunState,
    TaskState,
    items_path,
    read_settings,
)
from medevalkit.items import Items

Answered = tuple[RecordBase, Prediction | None]


def read_answers(folder: Path, state: RunState) -> Iterator[tuple[TaskState, Iterator[Answered]]]:
    """Yields every task of a run with its items and their answers, in the order of the items.

    Of a run that has not ended the answers come from its journal, and an item that was not asked
    yet has none; replicas of an item follow one another.
    """
    if is_finished(folder / PREDICTIONS_NAME):
        predictions = Manifest(folder / PREDICTIONS_NAME).of(Prediction)
        groups = groupby(predictions, key=lambda prediction: prediction.task)
        by_task = iter(groups)
        for task in state.tasks:
            if task.items:
                yield task, _beside(folder, task, next(by_task, (task.name, iter(())))[1])
        return
    asking = Asking(read_settings(folder), state)
    with journals.Journal(folder / journals.NAME) as journal:
        for task in state.tasks:
            yield task, _journaled(folder, task, asking, journal)


def _beside(folder: Path, task: TaskState, predictions: Iterator[Prediction]) -> Iterator[Answered]:
    waiting = next(predictions, None)
    for record in Items(items_path(folder, task.name)):
        if waiting is None or waiting.item != record.id:
            raise DataError(
                "has no answer to an item: give the run's command again",
                path=folder / PREDICTIONS_NAME,
                record=record.id,
            )
        while waiting is not None and waiting.item == record.id:
            yield record, waiting
            waiting = next(predictions, None)


def _journaled(
    folder: Path, task: TaskState, asking: Asking, journal: journals.Journal
) -> Iterator[Answered]:
    for record in Items(items_path(folder, task.name)):
        for wanted in asking.wanted(task.name, record):
            yield record, journal.prediction(wanted.prediction)
