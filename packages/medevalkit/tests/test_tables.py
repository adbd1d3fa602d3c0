import csv
import io

import pytest

from lingshu_core.recipe import load_recipe
from medevalkit.rows import MetricRow, Row
from medevalkit.run import run
from medevalkit.score import score
from medevalkit.scores import Scores
from medevalkit.settings import RunSettings
from medevalkit.suites import SUITES
from medevalkit.tables import grids, wholes, written
from medevalkit.verdicts import Agreement


def row(task="toy", kind="choice", accuracy=0.5, **more):
    return Row(
        **{
            "profile": "strict",
            "task": task,
            "kind": kind,
            "n": 40,
            "accuracy": accuracy,
            "low": 0.4,
            "high": 0.6,
            "unparsed": 0.0,
            "unanswered": 0.0,
            "chance": 0.25,
            **more,
        }
    )


def scores(*rows, model="m", **more):
    return Scores(model=model, finished=True, rows=rows, **more)


def titled(runs, title, **more):
    return next(grid for grid in grids(runs, **more) if grid.title == title)


def cells(grid, number=0):
    return dict(zip(grid.columns, grid.rows[number], strict=True))


def test_three_reasons_for_no_answer_are_kept_apart():
    found = cells(titled([scores(row(unparsed=0.1, unanswered=0.02, unjudged=0.3))], "Accuracy"))
    assert (found["unparsed"], found["unanswered"], found["unjudged"]) == ("10.0", "2.0", "30.0")


def test_profiles_stand_side_by_side(toy, tmp_path):
    out = tmp_path / "out"
    given = ["model=constant", f'tasks=["manifest:{toy(16, reports=False)}"]']
    run(load_recipe(RunSettings, None, given), out)
    grid = titled([score(out, ["strict", "official"])], "Accuracy")
    choice = next(dict(zip(range(20), r, strict=False)) for r in grid.rows if r[1] == "choice")
    strict, official = grid.columns.index("strict"), grid.columns.index("official")
    # The official kit takes an empty answer for A; the grammar takes it for none.
    assert choice[strict] == "0.0" and choice[strict + 2] == "100.0"
    assert float(choice[official]) > 0 and choice[official + 2] == "0.0"


def test_runs_stand_one_below_the_other_by_name():
    grid = titled([scores(row(), model="a"), scores(row(accuracy=0.7), model="b")], "Accuracy")
    assert grid.columns[0] == "model"
    assert [r[0] for r in grid.rows] == ["a", "b"]


def test_a_suite_has_its_mean_when_all_its_tasks_are_there():
    tasks = SUITES["paper-reports"].tasks
    values = [
        row(task, "all", accuracy) for task, accuracy in zip(tasks, (0.2, 0.4, 0.9), strict=True)
    ]
    found = cells(titled([scores(*values)], "Averages"))
    assert (found["suite"], found["tasks"], found["mean"]) == ("paper-reports", "3", "50.0")
    assert not [grid for grid in grids([scores(*values[:2])]) if grid.title == "Averages"]


def test_a_task_as_a_whole_is_its_first_line():
    run_scores = scores(row(kind="all", accuracy=0.5), row(kind="open", accuracy=0.1))
    assert wholes(run_scores, "strict") == {"toy": 0.5}


def test_breakdowns_on_request():
    rows = [row(), row(by="modality", value="ct"), row(by="modality", value="mri")]
    assert len(grids([scores(*rows)])) == 1
    grid = titled([scores(*rows)], "toy by modality", breakdowns=True)
    assert [r[0] for r in grid.rows] == ["toy: ct", "toy: mri"]


def test_baselines_and_reciprocals_of_metrics():
    metrics = {
        "rouge-l": MetricRow(mean=0.25, low=0.2, high=0.3, constant=0.46, shuffled=0.27),
        "radcliq-v1": MetricRow(mean=0.5, low=0.4, high=0.6),
    }
    grid = titled([scores(row(kind="report", metrics=metrics))], "Metrics")
    assert cells(grid)["normal"] == "0.4600" and cells(grid)["shuffled"] == "0.2700"
    # The reciprocal of the mean, never the mean of reciprocals.
    assert cells(grid, 1)["mean"] == "0.5000 (1/mean 2.0000)"


def test_how_open_answers_were_read_is_said():
    by_rule = scores(row(kind="open"))
    assert "open, by rule" in written(grids([by_rule]), "text")
    assert "Without a judge" in written(grids([by_rule]), "text")
    judged = scores(row(kind="open", judged=0.5), judges=("wise-paper",))
    text = written(grids([judged]), "text")
    assert "open, judged" in text and "judged by wise-paper" in text


def test_agreement_of_judges():
    one = Agreement(task="toy", first="a", second="b", n=9, same=0.75, kappa=None)
    grid = titled([scores(row(), agreement=(one,))], "Agreement of judges (Cohen's kappa)")
    assert cells(grid)["kappa"] == "–" and cells(grid)["same"] == "75.0"


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ("text", "  a|b & c_d  choice     40"),
        ("markdown", "| a\\|b & c_d | choice | 40 |"),
        ("latex", r"a|b \& c\_d & choice & 40 &"),
        ("csv", "Accuracy,a|b & c_d,choice,40,"),
    ],
)
def test_every_format_keeps_its_signs(form, expected):
    assert expected in written(grids([scores(row("a|b & c_d"))]), form)


def test_a_spreadsheet_computes_nothing():
    text = written(grids([scores(row("=1+1"))]), "csv")
    found = list(csv.reader(io.StringIO(text)))
    assert found[1][1] == "'=1+1"


def test_latex_is_a_whole_table():
    text = written(grids([scores(row())]), "latex")
    assert text.count(r"\begin{tabular}") == text.count(r"\end{tabular}") == 1
    lines = [line for line in text.splitlines() if line.endswith(r"\\")]
    assert len({line.count("&") for line in lines}) == 1
