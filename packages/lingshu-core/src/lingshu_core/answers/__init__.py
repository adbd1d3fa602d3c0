"""The answer grammar: what a response commits to, and whether it is right.

Rewards (lingshu-rl) and the strict profile of medevalkit read answers here and nowhere else, so
that training and evaluation cannot disagree. No rule guesses by likeness, none is random.
"""

from lingshu_core.answers.box import overlap, read_boxes
from lingshu_core.answers.check import GradeKind, check, check_question, gold_of, grade
from lingshu_core.answers.choice import options_from, parse_choice
from lingshu_core.answers.cues import final_answer
from lingshu_core.answers.findings import read_findings
from lingshu_core.answers.results import Check, CheckVerdict, Parsed
from lingshu_core.answers.synonyms import SynonymRow, Synonyms, normalise
from lingshu_core.answers.tags import Format, read_format
from lingshu_core.answers.yes_no import parse_yes_no, yes_no_gold

__all__ = [
    "Check",
    "CheckVerdict",
    "Format",
    "GradeKind",
    "Parsed",
    "SynonymRow",
    "Synonyms",
    "check",
    "check_question",
    "final_answer",
    "gold_of",
    "grade",
    "normalise",
    "options_from",
    "overlap",
    "parse_choice",
    "parse_yes_no",
    "read_boxes",
    "read_findings",
    "read_format",
    "yes_no_gold",
]
