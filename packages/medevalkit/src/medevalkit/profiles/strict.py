"""The answer grammar of `lingshu_core`, shared with the rewards: no guessing, no randomness."""

from dataclasses import replace

from lingshu_core.answers import Check, check_question, grade, options_from
from lingshu_core.records import Question
from medevalkit.benchmark import Benchmark
from medevalkit.overlap import overlap
from medevalkit.profile import Grade, Profile, Row, Score


def _grade(row: Row) -> Grade:
    options = options_from(row.choices) if row.choices else None
    return _said(grade(row.kind, row.gold, row.response, options))


def _score(record: Question, response: str) -> Grade:
    found = _said(check_question(record, response))
    if record.answer_kind != "open":
        return found
    assert record.answer is not None
    # What can be said of an open answer without a judge, beside the rules.
    return replace(found, metrics=overlap(found.parsed or "", record.answer))


def _said(found: Check) -> Grade:
    if found.parsed is None:
        return Grade("unparsed", None, found.reason)
    # What the rules cannot tell is not right; a judge may still say so.
    return Grade("right" if found.verdict == "right" else "wrong", found.parsed, found.reason)


def _start(benchmark: Benchmark | None) -> Score:
    return _score


PROFILE = Profile("the answer grammar shared with the rewards", _grade, _start)
