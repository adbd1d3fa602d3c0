"""METEOR 1.5, the program that pycocoevalcap brings with its paraphrase table; needs Java."""

from collections.abc import Sequence

from medevalkit.metric import Given, Measured, Metric, Pair
from medevalkit.texts import java


def _compute(pairs: Sequence[Pair], given: Given) -> Measured:
    java("METEOR")
    from pycocoevalcap.meteor.meteor import Meteor

    scorer = Meteor()
    try:
        _, values = scorer.compute_score(
            {i: [_line(pair.reference)] for i, pair in enumerate(pairs)},
            {i: [_line(pair.response)] for i, pair in enumerate(pairs)},
        )
    finally:
        process = scorer.meteor_p
        process.kill()
        process.communicate()
    return Measured({"meteor": [float(value) for value in values]}, "METEOR 1.5, English")


def _line(text: str) -> str:
    # The program reads one report a line, and takes an empty one for the end.
    return " ".join(text.replace("|||", " ").split()) or "."


METRIC = Metric("METEOR 1.5 with paraphrases (pycocoevalcap, Java)", _compute)
