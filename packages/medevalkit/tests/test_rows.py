"""Items that were asked several times: rotations of options, repeated sampling."""

import pytest

from lingshu_core.recipe import load_recipe
from medevalkit.rows import Scored, repeated, rows
from medevalkit.run import run
from medevalkit.score import score
from medevalkit.settings import RunSettings

SAMPLER = """
from medevalkit.backend import Answer, Backend, named

class Sampler:
    def answers(self, requests):
        for request in requests:
            gold = request.record.answer or ""
            yield Answer(request, (gold, "none", "none", gold)[request.replica], "stop")

    def close(self):
        pass

SAMPLER = Backend("right the first time and the last", lambda n, s: Sampler(), named)
"""


def made(task, out, model, *more):
    given = [f"model={model}", f'tasks=["manifest:{task}"]', *more]
    run(load_recipe(RunSettings, None, given), out)
    return score(out)


def row(scores, kind, by=None):
    return next(r for r in scores.rows if (r.kind, r.by) == (kind, by))


def said(base, verdict, parsed="x", cluster=None, language="en"):
    return Scored(
        item=base,
        kind="open",
        verdict=verdict,
        cluster=cluster or base,
        modality="text",
        language=language,
        tags={},
        base=base,
        parsed=parsed,
    )


def test_a_model_that_knows_is_right_in_every_rotation(toy, tmp_path):
    found = row(made(toy(48), tmp_path / "out", "oracle", "circular=true"), "choice")
    assert found.n == 12 * 4
    assert found.metrics["circular"].mean == 1


def test_a_model_that_always_says_b_is_caught(toy, tmp_path):
    found = row(made(toy(48), tmp_path / "out", "constant:B", "circular=true"), "choice")
    # Each option stands at B once, so a letter alone is right once in four.
    assert found.accuracy == 0.25
    assert found.metrics["circular"].mean == 0


def test_only_choices_are_turned(toy, tmp_path):
    scores = made(toy(48), tmp_path / "out", "oracle", "circular=true")
    assert row(scores, "open").n == row(scores, "closed").n == 12
    assert "circular" not in row(scores, "open").metrics


def test_a_rotation_is_no_breakdown(toy, tmp_path):
    scores = made(toy(16), tmp_path / "out", "oracle", "circular=true")
    assert "rotation_of" not in {r.by for r in scores.rows}


def test_several_answers_to_each_item(toy, tmp_path):
    (tmp_path / "sampler.py").write_text(SAMPLER, encoding="utf-8")
    model = f"{tmp_path}/sampler.py:SAMPLER:x"
    more = ("replicas=4", "sampling.temperature=1.0")
    found = row(made(toy(24, reports=False), tmp_path / "out", model, *more), "choice")
    assert found.n == 8 * 4 and found.accuracy == 0.5
    assert found.metrics["pass@4"].mean == 1
    # `none` is an option's letter for nobody: the two right answers are the only votes.
    assert found.metrics["majority@4"].mean == 1


@pytest.mark.parametrize(
    ("answers", "passed", "elected"),
    [
        ([("right", "a"), ("wrong", "b"), ("wrong", "b")], 1, 0),
        ([("right", "a"), ("right", "a"), ("wrong", "b")], 1, 1),
        ([("wrong", "b"), ("right", "a")], 1, 0),
        ([("right", "a"), ("wrong", "b")], 1, 1),
        ([("unparsed", None), ("unparsed", None), ("right", "a")], 1, 1),
        ([("unparsed", None), ("wrong", "b")], 0, 0),
        ([("unparsed", None), ("unparsed", None)], 0, 0),
    ],
)
def test_pass_and_majority_of_one_item(answers, passed, elected):
    found = repeated([said("one", verdict, parsed) for verdict, parsed in answers])
    assert found[f"pass@{len(answers)}"].mean == passed
    assert found[f"majority@{len(answers)}"].mean == elected


def test_what_was_asked_once_has_no_such_metrics():
    assert repeated([said("one", "right"), said("two", "wrong")]) == {}


def test_the_interval_draws_pictures_not_items():
    # Ten pictures with ten questions each, all right or all wrong.
    answers = [
        said(f"{picture}/{n}", "right" if picture % 2 else "wrong", cluster=str(picture))
        for picture in range(10)
        for n in range(10)
        for _ in range(2)
    ]
    found = repeated(answers)["pass@2"]
    alone = repeated([said(a.base, a.verdict) for a in answers])["pass@2"]
    assert found.mean == alone.mean == 0.5
    assert found.high - found.low > 2 * (alone.high - alone.low)


def test_tables_divide_by_kind_only_where_there_are_several():
    (only,) = rows("strict", "toy", [said("one", "right"), said("two", "unparsed")])
    assert (only.kind, only.n, only.accuracy, only.unparsed) == ("open", 2, 0.5, 0.5)


def test_tables_divide_by_language_where_there_are_several():
    answers = [said("one", "right"), said("two", "wrong", language="zh")]
    found = {row.value: row.accuracy for row in rows("strict", "toy", answers) if row.by}
    assert found == {"en": 1.0, "zh": 0.0}
