"""Judge protocols: what a judging model is told about an answer, and how its words are read.

Only open answers are judged: a choice or a closed answer has a rule. A conversation with a rubric
of its own (HealthBench) is judged by that.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from lingshu_core.digest import canonical_json
from lingshu_core.prompts import load_prompt
from lingshu_core.records import Dialogue, Prediction, Question, RecordBase, Verdict
from medevalkit.official.judge import RIGHT, read_verdict
from medevalkit.official.prompts import template
from medevalkit.settings import JudgeSettings

Reading = Literal["strict", "official"]

_RUBRIC = "rubric"
_TAG = re.compile(r"<judge>\s*([01])\s*</judge>")
_POINTS = ("1", "2", "3", "4")
_ROLES = {"user": "User", "assistant": "Assistant", "system": "System"}


@dataclass(frozen=True, slots=True)
class Ruling:
    """What a judge's words come to."""

    verdict: Verdict | None
    """`unjudged` where they cannot be read; None where a share of points says it all."""
    share: float | None = None
    """Points earned by those that could be earned; may be below 0."""


def judged(record: RecordBase) -> bool:
    """Says whether a record is one that a judge is asked about."""
    if isinstance(record, Question):
        return record.answer_kind == "open" and record.answer is not None
    return isinstance(record, Dialogue) and _RUBRIC in record.tags


def prompt(record: RecordBase, prediction: Prediction, protocol: str) -> str | None:
    """Returns what the judge is told; None where there is nothing to judge."""
    if not judged(record) or prediction.finish_reason == "error" or not prediction.response.strip():
        return None
    if isinstance(record, Dialogue):
        return load_prompt("medevalkit", "judge-criteria").render(
            question="\n".join(f"{_ROLES[turn.role]}: {turn.text}" for turn in record.turns),
            response=prediction.response,
            answer="\n".join(f"{n}. {c['criterion']}" for n, c in enumerate(_criteria(record), 1)),
        )
    assert isinstance(record, Question) and record.answer is not None
    fields = {
        "question": record.question,
        "answer": record.answer,
        "response": prediction.response,
    }
    if protocol == "paper":
        return template("judge").substitute(fields)
    return load_prompt("medevalkit", "judge-rubric").render(**fields)


def key(settings: JudgeSettings, text: str) -> bytes:
    """Returns the address of a verdict: a hash of everything that the judge's words depend on."""
    import hashlib

    asked = {
        "model": settings.model,
        "body": settings.endpoint.body,
        "temperature": settings.temperature,
        "max_new_tokens": settings.max_new_tokens,
        "prompt": text,
    }
    return hashlib.sha256(canonical_json(asked)).digest()[:16]


def ruling(record: RecordBase, raw: str, protocol: str, reading: Reading) -> Ruling:
    """Returns what a judge's words come to.

    Args:
        record: What was judged.
        raw: The judge's words.
        protocol: `paper` or `rubric`.
        reading: `strict` calls unreadable words `unjudged`; `official` calls them wrong, as the
            official kit does.
    """
    if isinstance(record, Dialogue):
        return _by_criteria(_criteria(record), raw)
    if protocol == "rubric":
        return _by_points(raw)
    if reading == "official":
        return Ruling("right" if read_verdict(raw) == RIGHT else "wrong")
    tags = set(_TAG.findall(raw))
    if len(tags) != 1 or raw.count("<judge>") != len(_TAG.findall(raw)):
        return Ruling("unjudged")
    return Ruling("right" if tags == {RIGHT} else "wrong")


def _by_points(raw: str) -> Ruling:
    points = _truths(raw, "points")
    if points is None or set(points) != set(_POINTS):
        return Ruling("unjudged")
    return Ruling("right" if all(points.values()) else "wrong")


def _by_criteria(criteria: list[dict[str, Any]], raw: str) -> Ruling:
    met = _truths(raw, "met")
    if met is None or set(met) != {str(number) for number in range(1, len(criteria) + 1)}:
        return Ruling("unjudged")
    earned = sum(c["points"] for n, c in enumerate(criteria, 1) if met[str(n)])
    possible = sum(c["points"] for c in criteria if c["points"] > 0)
    return Ruling(None, earned / possible) if possible > 0 else Ruling("unjudged")


def _criteria(record: RecordBase) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(record.tags[_RUBRIC])
    return found


def _truths(raw: str, name: str) -> Mapping[str, bool] | None:
    """Returns a JSON object of truth values out of the last line that holds one."""
    for start in reversed([match.start() for match in re.finditer(r"\{", raw)]):
        try:
            found, _ = json.JSONDecoder().raw_decode(raw, start)
        except ValueError:
            continue
        inner = found.get(name) if isinstance(found, dict) else None
        if isinstance(inner, dict) and all(isinstance(value, bool) for value in inner.values()):
            return inner
    return None
