"""What rows of other kits call the question, the options and the gold."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from lingshu_core.errors import DataError

_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_QUESTION = ("question", "Question", "query", "input", "problem", "prompt")
_ANSWER = (
    *("answer_idx", "answer_letter", "correct_option", "Correct Option", "gold", "cop", "label"),
    *("answer", "Answer", "correct_answer", "gt_answer", "target"),
)
_OPTIONS = ("choices", "options", "Options", "option")
_COLUMNS = ("{}", "option_{}", "Choice {}", "op{lower}", "option_{lower}", "{lower}")


def question_of(row: Mapping[str, Any]) -> str:
    """Returns the question of a row; empty where it has none."""
    return str(next((row[name] for name in _QUESTION if row.get(name)), "")).strip()


def answer_of(row: Mapping[str, Any]) -> Any:
    """Returns the gold of a row as it stands there; None where it has none."""
    return next((row[name] for name in _ANSWER if row.get(name) not in (None, "")), None)


def options_of(row: Mapping[str, Any]) -> tuple[str, ...]:
    """Returns the options of a row in order: a list, an object by letter, or columns A, B, ….

    Raises:
        DataError: There is something that can be none.
    """
    for name in _OPTIONS:
        if row.get(name):
            return _listed(row[name], name)
    for pattern in _COLUMNS:
        names = [pattern.format(letter, lower=letter.lower()) for letter in _LETTERS]
        found = [str(row[name]).strip() for name in names if row.get(name) not in (None, "")]
        if len(found) > 1:
            return tuple(found)
    return ()


def _listed(found: Any, name: str) -> tuple[str, ...]:
    if isinstance(found, str):
        found = json.loads(found)
    if isinstance(found, Mapping):
        if isinstance(found.get("text"), Sequence):
            return tuple(map(str, found["text"]))
        return tuple(str(found[key]) for key in sorted(found) if found[key] not in (None, ""))
    if not isinstance(found, Sequence):
        raise DataError(f"is no list of options but {type(found).__name__}", field=name)
    return tuple(str(one["value"] if isinstance(one, Mapping) else one) for one in found)
