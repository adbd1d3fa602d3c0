"""`medevalkit grade`: loose rows in, one graded line each out, for use from any language."""

import json
from collections.abc import Iterable, Iterator
from typing import get_args

from pydantic import BaseModel, ConfigDict, ValidationError

from lingshu_core.errors import DataError, SettingsError
from lingshu_core.recipe import nearest
from medevalkit.profile import PROFILES, LooseKind, Row

_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_VERDICTS = {"right", "wrong"}


class LooseRow(BaseModel):
    """What a line holds; other fields are left alone."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    gold: str
    """A letter or the text of an option for a choice, else the answer."""
    response: str | None
    """None counts as an empty answer."""
    choices: tuple[str, ...] = ()
    """Options in order, with or without labels."""


def grade_lines(lines: Iterable[str], kind: str, profile: str) -> Iterator[tuple[str, bool]]:
    """Yields a line of JSON for each line, and whether it could be graded.

    It has `parsed` (null where no answer was found), `verdict` (`right`, `wrong`, `unparsed`) and
    the `reason`; or `error` where the line is broken.

    Args:
        lines: JSON objects with `gold`, `response` and, for a choice, `choices`.
        kind: `choice`, `yesno`, `closed` or `open`.
        profile: Name of a profile.

    Raises:
        SettingsError: Kind or profile are unknown.
    """
    if kind not in get_args(LooseKind):
        raise SettingsError(f"{kind!r} is no kind{nearest(kind, get_args(LooseKind))}")
    grader = PROFILES.get(profile).grade
    for number, line in enumerate(lines, 1):
        try:
            found = grader(_row(kind, line))  # type: ignore[arg-type]
        except (ValidationError, DataError, ValueError) as error:
            yield json.dumps({"error": f"line {number}: {_why(error)}"}, ensure_ascii=False), False
            continue
        verdict = found.verdict if found.verdict in _VERDICTS else "unparsed"
        graded = {"parsed": found.parsed, "verdict": verdict, "reason": found.reason}
        yield json.dumps(graded, ensure_ascii=False), True


def _row(kind: LooseKind, line: str) -> Row:
    loose = LooseRow.model_validate_json(line)
    gold = loose.gold
    if kind == "choice":
        if not 2 <= len(loose.choices) <= len(_LETTERS):
            raise DataError("a choice needs 2 to 26 choices", field="choices")
        if gold in loose.choices:
            gold = _LETTERS[loose.choices.index(gold)]
    return Row(kind, gold, loose.response or "", loose.choices)


def _why(error: Exception) -> str:
    if isinstance(error, ValidationError):
        first = error.errors(include_url=False)[0]
        place = ".".join(map(str, first["loc"]))
        return f"{place}: {first['msg']}" if place else first["msg"]
    return str(error)
