"""`medevalkit score`: reads every answer of a run under each profile; loads no model."""

import gc
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from lingshu_core.manifest import Manifest
from medevalkit.answers import read_answers
from medevalkit.folder import SCORES_NAME, items_path, locked, read_settings, read_state
from medevalkit.kept import KeptValues
from medevalkit.rows import Row
from medevalkit.samples import Samples
from medevalkit.scores import Scores, read_scores
from medevalkit.scoring import Scoring
from medevalkit.settings import RunSettings
from medevalkit.showing import show
from medevalkit.verdicts import Judges

_ALLOCATIONS = 200_000
"""New objects between two looks for cycles; 700 is Python's own."""


def score(folder: Path, profiles: Sequence[str] = (), judges: Sequence[str] = ()) -> Scores:
    """Scores the answers of a run and writes `scores/`, `scores.json` and the page.

    Args:
        folder: A run, ended or not; what was not asked yet is left out.
        profiles: Names of profiles; those of the run's settings where there are none.
        judges: Names of those among the run's judges that count; all of them where there are none.

    Raises:
        DataError: The folder is no run.
        SettingsError: A profile or a judge is unknown, or another process works in the folder.
    """
    with locked(folder), _little_collecting(), ExitStack() as stack:
        state, settings = read_state(folder), read_settings(folder)
        asked = stack.enter_context(Judges(folder, judges))
        kept = stack.enter_context(KeptValues(folder))
        scorings = [
            stack.enter_context(Scoring(folder, name, settings.reports, asked, kept))
            for name in tuple(profiles) or settings.profiles
        ]
        samples = Samples(folder)
        found: list[Row] = []
        for task, answered in read_answers(folder, state):
            for scoring in scorings:
                scoring.begin(task)
            pictures = Manifest(items_path(folder, task.name), root=task.root)
            for record, prediction in answered:
                if prediction is None:
                    continue
                grades = [scoring.take(record, prediction) for scoring in scorings]
                samples.offer(record, prediction, grades[0], pictures)
            for scoring in scorings:
                found += scoring.end(task.name)
        notes = {name: note for scoring in scorings for name, note in scoring.notes.items()}
        scores = Scores(
            model=state.model,
            finished=state.finished,
            rows=tuple(found),
            notes=notes,
            judges=tuple(asked.judges),
            agreement=tuple(asked.agreements()),
        )
        scores.write(folder)
        show(folder, scores, samples.pictures)
        return scores


@contextmanager
def _little_collecting() -> Iterator[None]:
    """Looks for cycles seldom: items and scores make none, and looking took an eighth of time."""
    usual = gc.get_threshold()
    gc.set_threshold(_ALLOCATIONS, *usual[1:])
    try:
        yield
    finally:
        gc.set_threshold(*usual)


def is_scored(folder: Path, settings: RunSettings) -> bool:
    """Says whether the tables of a run are there, under every profile of its settings."""
    if not (folder / SCORES_NAME).is_file():
        return False
    return set(settings.profiles) <= {row.profile for row in read_scores(folder).rows}
