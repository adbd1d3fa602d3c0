import base64
import json
import os
import signal
import subprocess
import sys
import time

import pytest

from lingshu_core.errors import SettingsError, Stopped
from lingshu_core.manifest import Manifest
from lingshu_core.recipe import load_recipe
from lingshu_core.records import Prediction
from medevalkit.run import run
from medevalkit.score import score
from medevalkit.settings import RunSettings


def settings(endpoint, task, *more):
    fixed = [f"endpoint.base_url={endpoint.url}", "endpoint.backoff=0.01", "endpoint.retries=2"]
    given = ["model=openai:tiny", f'tasks=["manifest:{task}"]', *fixed, *more]
    return load_recipe(RunSettings, None, given)


def said(out):
    return list(Manifest(out / "predictions").of(Prediction))


def test_pictures_go_as_data_urls_before_the_words(endpoint, toy, tmp_path):
    task = toy(1, pictures=1)
    run(settings(endpoint, task), tmp_path / "out")
    (record,) = Manifest(task)
    (message,) = endpoint.bodies[0]["messages"]
    picture, words = message["content"]
    url = picture["image_url"]["url"]
    sent = base64.b64decode(url.removeprefix("data:image/png;base64,"))
    assert sent == (task / record.images[0].path).read_bytes()
    assert words["text"].startswith("Question: ")
    assert endpoint.bodies[0]["model"] == "tiny" and endpoint.bodies[0]["temperature"] == 0
    assert "top_k" not in endpoint.bodies[0]


def test_requests_in_flight_are_bounded(endpoint, toy, tmp_path):
    def answer(body, number):
        time.sleep(0.02)
        return endpoint.say("yes")

    endpoint.answer = answer
    run(settings(endpoint, toy(40, reports=False), "endpoint.concurrency=6"), tmp_path / "out")
    assert len(endpoint.bodies) == 40
    assert 2 <= endpoint.most_flying <= 6


def test_a_request_that_is_refused_for_good_fails_its_item_alone(endpoint, toy, tmp_path):
    def answer(body, number):
        asked = json.dumps(body["messages"])
        return (400, {}, b"too long") if "in 2?" in asked else endpoint.say("yes")

    endpoint.answer = answer
    task = toy(6, reports=False)
    run(settings(endpoint, task), tmp_path / "out")
    failed = [one for one in said(tmp_path / "out") if one.finish_reason == "error"]
    assert len(failed) == 1 and "too long" in failed[0].error
    assert not run(settings(endpoint, task), tmp_path / "out")


def test_the_run_stops_when_the_budget_of_errors_is_spent_and_goes_on_later(
    endpoint, toy, tmp_path
):
    task = toy(30, reports=False)
    more = ["endpoint.error_budget=4", "endpoint.retries=0", "endpoint.concurrency=2"]
    endpoint.answer = lambda body, number: (
        endpoint.say("yes") if number <= 10 else (500, {}, b"down")
    )
    with pytest.raises(Stopped, match="4 requests failed"):
        run(settings(endpoint, task, *more), tmp_path / "out")
    asked = len(endpoint.bodies)
    endpoint.answer = lambda body, number: endpoint.say("yes")
    run(settings(endpoint, task, *more), tmp_path / "out")
    assert len(endpoint.bodies) == asked + 20
    assert {one.response for one in said(tmp_path / "out")} == {"yes"}


def test_what_failed_in_passing_is_unanswered_and_asked_again(endpoint, toy, tmp_path):
    task = toy(8, reports=False)
    endpoint.answer = lambda body, number: (
        (500, {}, b"") if "in 1?" in json.dumps(body["messages"]) else endpoint.say("yes")
    )
    run(settings(endpoint, task), tmp_path / "out")
    assert score(tmp_path / "out").rows[0].unanswered == 0.125
    asked = len(endpoint.bodies)
    endpoint.answer = lambda body, number: endpoint.say("yes")
    assert run(settings(endpoint, task), tmp_path / "out")
    assert len(endpoint.bodies) == asked + 1
    assert score(tmp_path / "out").rows[0].unanswered == 0


def test_a_refused_key_stops_at_once(endpoint, toy, tmp_path):
    endpoint.answer = lambda body, number: (401, {}, b"who are you?")
    with pytest.raises(SettingsError, match="401"):
        run(settings(endpoint, toy(20), "endpoint.concurrency=1"), tmp_path / "out")
    assert len(endpoint.bodies) <= 2


def test_the_key_is_in_no_file(endpoint, toy, tmp_path, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-very-secret")
    endpoint.answer = lambda body, number: (400, {}, b"sk-very-secret is bad")
    run(settings(endpoint, toy(3)), tmp_path / "out")
    score(tmp_path / "out")
    for path in (tmp_path / "out").rglob("*"):
        assert not path.is_file() or b"sk-very-secret" not in path.read_bytes(), path


def test_tokens_and_cost_are_those_of_all_starts(endpoint, toy, tmp_path, capsys):
    task = toy(8, reports=False)
    prices = ("endpoint.price_in=2", "endpoint.price_out=10")
    run(settings(endpoint, task, *prices, "limit=3"), tmp_path / "out")
    run(settings(endpoint, task, *prices), tmp_path / "out")
    # The server says that every question has 7 tokens and every answer one.
    assert "5 requests; in all 56 tokens in, 8 out, cost 0.0002" in capsys.readouterr().err


def test_items_of_a_hundred_thousand_characters(endpoint, toy, tmp_path):
    task = toy(2, reports=False)
    long = [
        record.replace(question="long " * 20_000).model_dump_json() for record in Manifest(task)
    ]
    path = tmp_path / "long.jsonl"
    path.write_text("\n".join(long) + "\n", encoding="utf-8")
    endpoint.answer = lambda body, number: endpoint.say("yes " * 25_000)
    run(settings(endpoint, path), tmp_path / "out")
    assert {len(one.response) for one in said(tmp_path / "out")} == {100_000}
    score(tmp_path / "out")


@pytest.mark.slow
def test_killed_while_requests_fly_it_repeats_no_more_than_those(endpoint, toy, tmp_path):
    task = toy(60, reports=False)

    def answer(body, number):
        time.sleep(0.02)
        return endpoint.say("yes")

    endpoint.answer = answer
    command = [
        *(sys.executable, "-m", "medevalkit", "run", "--model", "openai:tiny"),
        *("--tasks", f"manifest:{task}", "--out", str(tmp_path / "out")),
        *("-s", f"endpoint.base_url={endpoint.url}", "-s", "endpoint.concurrency=4"),
    ]
    kills = 0
    while True:
        before = len(endpoint.bodies)
        child = subprocess.Popen(command, env=dict(os.environ), stderr=subprocess.PIPE)
        while child.poll() is None and len(endpoint.bodies) < before + 12:
            time.sleep(0.005)
        if child.poll() is not None:
            break
        child.send_signal(signal.SIGKILL)
        child.communicate()
        kills += 1
    assert child.wait() == 0, child.communicate()[1]
    child.communicate()
    assert kills >= 3
    assert len(endpoint.bodies) <= 60 + 4 * kills
    assert len(said(tmp_path / "out")) == 60
