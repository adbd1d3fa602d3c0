"""HealthBench from its publisher's files to the table: a model and a judge, both over HTTP."""

import json

import pytest

from lingshu_core.recipe import load_recipe
from medevalkit.judge import judge
from medevalkit.prepare import prepare
from medevalkit.run import run
from medevalkit.score import score
from medevalkit.settings import JudgeSettings, RunSettings
from medevalkit.tables import grids, written

SETS = {
    "healthbench": "2025-05-07_oss_eval.jsonl",
    "healthbench-hard": "hard_2025.jsonl",
    "healthbench-consensus": "consensus_2025.jsonl",
}


def row(number, theme):
    return {
        "prompt_id": f"p{number}",
        "prompt": [{"role": "user", "content": f"Case {number}: what shall I do?"}],
        "rubrics": [
            {"criterion": "Asks for the age", "points": 6, "tags": []},
            {"criterion": "Tells when to see a doctor", "points": 4, "tags": []},
            {"criterion": "Names a wrong dose", "points": -5, "tags": []},
        ],
        "example_tags": [f"theme:{theme}"],
    }


@pytest.fixture
def data(tmp_path):
    """Returns a folder with the three sets prepared: six, three and two conversations."""
    for name, count in zip(SETS, (6, 3, 2), strict=True):
        raw = tmp_path / "raw" / name
        raw.mkdir(parents=True)
        rows = [row(n, ("hedging", "emergency")[n % 2]) for n in range(count)]
        (raw / SETS[name]).write_text("".join(json.dumps(r) + "\n" for r in rows))
        prepare(name, tmp_path / "data" / name, folder=raw)
    return tmp_path / "data"


def test_three_sets_are_asked_judged_and_kept_apart(data, tmp_path, endpoint):
    def answer(body, number):
        said = body["messages"][-1]["content"]
        if body["model"] == "judge":
            # Every reply asks for the age; that to case 1 names a wrong dose as well, and what is
            # said about case 2 cannot be read.
            if "Case 2" in said:
                return endpoint.say("All of them, I think.")
            met = {"1": True, "2": False, "3": "Case 1" in said}
            return endpoint.say(f"Reasons.\n{json.dumps({'met': met})}")
        return endpoint.say("How old are you?")

    endpoint.answer = answer
    out = tmp_path / "out"
    tasks = json.dumps(list(SETS))
    words = ["model=openai:any", f"tasks={tasks}", f"endpoint.base_url={endpoint.url}"]
    run(load_recipe(RunSettings, None, words), out, data=data)
    assert all("rubric" not in r.metrics for r in score(out).rows)  # nothing without a judge

    given = JudgeSettings(model="judge", endpoint={"base_url": endpoint.url})
    account = judge(out, given)
    # Equal conversations of two sets are judged once.
    assert (account.wanted, account.asked) == (11, 6)
    found = {
        (r.task, r.by, r.value): r.metrics["rubric"] for r in score(out).rows if r.kind != "all"
    }
    # 6 of 10 points; 1 with a wrong dose; what cannot be read earned nothing that is known.
    whole = found["healthbench", None, None]
    assert whole.mean == pytest.approx((0.6 * 4 + 0.1) / 5, abs=1e-4)
    assert found["healthbench-consensus", None, None].mean == pytest.approx(0.35, abs=1e-4)
    assert found["healthbench", "theme", "emergency"].mean == pytest.approx(1.3 / 3, abs=1e-4)
    text = written(grids([score(out)]), "text")
    for name in SETS:
        assert name in text
    assert "rubric" in text
