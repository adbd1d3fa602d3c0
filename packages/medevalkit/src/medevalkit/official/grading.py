"""The official kit's verdicts on items, by the rules of the benchmark that they come from."""

import random

from lingshu_core.records import Question
from medevalkit.benchmark import Benchmark, Official
from medevalkit.official import mmmu
from medevalkit.official.choice import read_letter
from medevalkit.official.closed import close_ended, slake_closed, yes_or_no, yes_or_no_june
from medevalkit.official.free import open_ended
from medevalkit.official.marks import CrashError
from medevalkit.profile import Grade, Row, Score

_SEED = 42
_CRASH = "crash"
REPORT_METRICS = ("official-rouge-l", "official-bleu", "official-cider", "official-meteor")


def start(benchmark: Benchmark | None, *, june: bool) -> Score:
    """Returns what grades the items of one task.

    MMMU's random letters depend on the order of the items: the generator is seeded once a task.
    """
    official = benchmark.official if benchmark else Official()
    rng = random.Random(_SEED)

    def score(record: Question, response: str) -> Grade:
        assert record.answer is not None, "asked with a gold only"
        if record.answer_kind == "choice":
            return _choice(record, response, official, rng, june=june)
        if record.answer_kind == "closed":
            return _closed(record.answer, response, official, june=june)
        return _open(record, response, official)

    return score


def grade(row: Row, *, june: bool) -> Grade:
    """Grades a loose row; choices are taken with the labels that they have."""
    if row.kind == "choice":
        letter, rule = read_letter(row.choices, row.gold, row.response, june=june)
        return _verdict(letter == row.gold.upper(), letter, rule)
    if row.kind == "open":
        return _words(row.gold, row.response, Official())
    official = Official(closed="yesno" if row.kind == "yesno" else "slake")
    return _closed(row.gold, row.response, official, june=june)


def labelled(record: Question, official: Official) -> list[str]:
    """Returns the options as the kit writes them."""
    return [
        official.label.format(letter=option.letter, text=option.text) for option in record.options
    ]


def _choice(
    record: Question, response: str, official: Official, rng: random.Random, *, june: bool
) -> Grade:
    assert record.answer is not None
    if official.parser == "mmmu":
        options = {option.letter: option.text for option in record.options}
        letter, rule = mmmu.read_letter(response, options, rng)
    else:
        letter, rule = read_letter(
            labelled(record, official), record.answer, response, june=june, tags=official.tags
        )
    return _verdict(letter == record.answer, letter, rule)


def _closed(gold: str, response: str, official: Official, *, june: bool) -> Grade:
    if gold.lower() not in {"yes", "no"} or official.closed == "slake":
        if june:
            # In June 2025 every answer of SLAKE went to the judge.
            return Grade("unjudged", None, "judged_in_june")
        right = (slake_closed if official.closed == "slake" else close_ended)(gold, response)
    else:
        right = (yes_or_no_june if june else yes_or_no)(gold, response)
    return _verdict(right, gold if right else response, "closed")


def _open(record: Question, response: str, official: Official) -> Grade:
    assert record.answer is not None
    if official.parser != "mmmu":
        return _words(record.answer, response, official)
    if record.source.split == "validation":
        # The kit walks over the letters of the parsed answer there, and finds nothing.
        return _verdict(False, response, "letter_by_letter")
    golds = getattr(record.gold, "accepted", (record.answer,))
    return _verdict(mmmu.open_is_right(golds, mmmu.read_open(response)), response, "mmmu_open")


def _words(gold: str, response: str, official: Official) -> Grade:
    try:
        metrics = open_ended(gold, response, strip=official.strip)
    except CrashError as error:
        return Grade("unparsed", None, f"{_CRASH}: {error}")
    right = metrics["em"] == 1
    return Grade("right" if right else "wrong", response, "exact_match", metrics)


def _verdict(right: bool, parsed: str, reason: str) -> Grade:
    return Grade("right" if right else "wrong", parsed, reason)
