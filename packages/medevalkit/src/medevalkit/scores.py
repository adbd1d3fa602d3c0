"""`scores.json`: the tables of a run."""

from pathlib import Path

from pydantic import Field

from lingshu_core.errors import DataError
from lingshu_core.files import write_atomic
from lingshu_core.manifest import check_format
from medevalkit.folder import SCORES_NAME, Stored, parsed
from medevalkit.rows import Row
from medevalkit.verdicts import Agreement

FORMAT = "medevalkit-scores/1"


class Scores(Stored):
    """What `scores.json` holds; no clock and no path, so that equal runs give equal bytes."""

    format: str = FORMAT
    model: str
    finished: bool
    """Whether every item had been asked."""
    rows: tuple[Row, ...]
    notes: dict[str, str] = Field(default_factory=dict)
    """By metric, what it depends on or why it could not be computed."""
    judges: tuple[str, ...] = ()
    """Who was asked about open answers; without anyone they are read by rule alone."""
    agreement: tuple[Agreement, ...] = ()

    def write(self, folder: Path) -> None:
        """Writes `scores.json` into a run's folder."""
        write_atomic(folder / SCORES_NAME, self.model_dump_json(indent=1) + "\n")


def read_scores(folder: Path) -> Scores:
    """Reads the tables of a run; DataError where it was not scored."""
    path = folder / SCORES_NAME
    try:
        text = path.read_bytes()
    except OSError:
        raise DataError(
            f"has no {SCORES_NAME}: give `medevalkit score {folder}` first", path=folder
        ) from None
    check_format(path, text, FORMAT)
    return parsed(Scores, text, path)
