"""The interface of the profiles: ways of reading and scoring an answer, one file each."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from lingshu_core.records import Question, Verdict
from lingshu_core.registry import Registry
from medevalkit.benchmark import Benchmark

LooseKind = Literal["choice", "yesno", "closed", "open"]


@dataclass(frozen=True, slots=True)
class Row:
    """A response to grade, without a record around it."""

    kind: LooseKind
    gold: str
    """A letter for a choice, else the text."""
    response: str
    choices: tuple[str, ...] = ()
    """Options in order, with or without labels."""


@dataclass(frozen=True, slots=True)
class Grade:
    """What a profile says about a response."""

    verdict: Verdict | None
    """None where the metrics say it all."""
    parsed: str | None
    """The answer as it was read; None where none was found."""
    reason: str
    """The rule that decided, in a word."""
    metrics: dict[str, float] = field(default_factory=dict)


Score = Callable[[Question, str], Grade]
"""Grades the response to an item whose gold is known."""


@dataclass(frozen=True)
class Profile:
    """A way of reading and scoring answers."""

    describe: str
    grade: Callable[[Row], Grade]
    """Grades a loose row."""
    start: Callable[[Benchmark | None], Score]
    """Returns what grades the items of one task, in their order."""
    judged: Literal["strict", "official"] = "strict"
    """How a judge's unreadable words count: apart, or as wrong."""
    reports: Literal["sections", "whole"] = "sections"
    """Whether findings and impression are read out of a report, or the whole of it is taken."""
    metrics: tuple[str, ...] = ()
    """What reports are measured by, whatever the run's settings say."""


PROFILES = Registry("medevalkit.profiles", "medevalkit.profiles", "PROFILE", Profile)
