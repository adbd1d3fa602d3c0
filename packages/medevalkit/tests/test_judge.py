import threading
import time

import pytest

from lingshu_core.errors import SettingsError, Stopped
from lingshu_core.manifest import Manifest
from lingshu_core.recipe import load_recipe
from lingshu_core.records import Score
from medevalkit.folder import locked
from medevalkit.judge import judge
from medevalkit.run import run
from medevalkit.score import score
from medevalkit.settings import JudgeSettings, RunSettings
from medevalkit.tables import grids, written

SLOW = """
import time
from medevalkit.backend import Answer, Backend, named

class Slow:
    def answers(self, requests):
        for request in requests:
            time.sleep(0.02)
            yield Answer(request, "CT", "stop")

    def close(self):
        pass

SLOW = Backend("takes its time", lambda name, settings: Slow(), named)
"""


def made(task, out, model="constant:CT"):
    run(load_recipe(RunSettings, None, [f"model={model}", f'tasks=["manifest:{task}"]']), out)
    return out


def judging(endpoint, *more, model="wise"):
    given = [f"model={model}", f"endpoint.base_url={endpoint.url}", "endpoint.backoff=0.01"]
    return load_recipe(JudgeSettings, None, [*given, "endpoint.concurrency=4", *more])


def asked(body):
    return body["messages"][0]["content"]


def lenient(mock):
    """Lets the endpoint call the picture's number right if it is below 20."""

    def answer(body, number):
        picture = int(asked(body).partition("is picture ")[2].partition("?")[0])
        return mock.say(f"<think>…</think><judge>{int(picture >= 20)}</judge>")

    mock.answer = answer


def row(scores, kind):
    return next(r for r in scores.rows if (r.kind, r.by) == (kind, None))


def test_open_answers_are_judged_and_no_others(toy, tmp_path, endpoint):
    out = made(toy(40), tmp_path / "out")
    lenient(endpoint)
    by_rule = score(out)
    account = judge(out, judging(endpoint))
    assert (account.wanted, account.asked, account.failed) == (10, 10, 0)
    assert account.tokens_in == 70
    assert all("Which modality is picture" in asked(body) for body in endpoint.bodies)
    scores = score(out)
    assert row(scores, "open").judged == 1 and row(scores, "open").accuracy == 0.5
    assert row(scores, "choice") == row(by_rule, "choice")
    assert row(scores, "closed") == row(by_rule, "closed")
    text = written(grids([scores]), "text")
    assert "open, judged" in text and "judged by wise-paper" in text
    kept = [s for s in Manifest(out / "scores" / "strict").of(Score) if s.judgements]
    assert len(kept) == 10 and kept[0].judgements[0].raw.startswith("<think>")


def test_nothing_is_asked_twice(toy, tmp_path, endpoint):
    task = toy(40)
    out = made(task, tmp_path / "out")
    lenient(endpoint)
    judge(out, judging(endpoint, f"cache={tmp_path}/shared.sqlite"))
    again = judge(out, judging(endpoint))
    assert (again.wanted, again.known, again.asked) == (10, 10, 0)
    other = made(task, tmp_path / "other")
    from_cache = judge(other, judging(endpoint, f"cache={tmp_path}/shared.sqlite"))
    assert from_cache.asked == 0 and len(endpoint.bodies) == 10


def test_what_cannot_be_read_is_unjudged_and_counted_apart(toy, tmp_path, endpoint):
    out = made(toy(40), tmp_path / "out")
    words = iter(["<judge>0</judge>", "I cannot say.", "<judge>1</judge>", "<judge>"] * 10)
    endpoint.answer = lambda body, number: endpoint.say(next(words))
    judge(out, judging(endpoint, "endpoint.concurrency=1"))
    found = row(score(out), "open")
    assert found.unjudged == 0.5 and found.judged == 0.5 and found.accuracy == 0.3
    (official,) = (r for r in score(out, ["official"]).rows if (r.kind, r.by) == ("open", None))
    assert official.unjudged == 0 and official.accuracy == 0.3


def test_a_budget_of_errors_stops_and_the_same_command_goes_on(toy, tmp_path, endpoint):
    out = made(toy(40), tmp_path / "out")

    def failing(body, number):
        return endpoint.say("<judge>0</judge>") if number <= 4 else (500, {}, b"broken")

    endpoint.answer = failing
    more = ("endpoint.retries=0", "endpoint.error_budget=3", "endpoint.concurrency=1")
    with pytest.raises(Stopped, match=r"3 questions failed, the last because .*500"):
        judge(out, judging(endpoint, *more))
    endpoint.answer = lambda body, number: endpoint.say("<judge>0</judge>")
    account = judge(out, judging(endpoint))
    assert (account.known, account.asked) == (4, 6)
    assert row(score(out), "open").accuracy == 1


def test_a_failed_question_leaves_its_answer_unjudged(toy, tmp_path, endpoint):
    out = made(toy(40), tmp_path / "out")
    endpoint.answer = lambda body, number: (
        (500, {}, b"") if number % 2 else endpoint.say("<judge>0</judge>")
    )
    judge(out, judging(endpoint, "endpoint.retries=0", "endpoint.concurrency=1"))
    assert row(score(out), "open").unjudged == 0.5


def test_two_judges_and_how_far_they_agree(toy, tmp_path, endpoint):
    out = made(toy(40), tmp_path / "out")
    lenient(endpoint)
    judge(out, judging(endpoint))
    endpoint.answer = lambda body, number: endpoint.say("<judge>0</judge>")
    judge(out, judging(endpoint, model="mild"))
    scores = score(out)
    (found,) = scores.agreement
    assert (found.first, found.second, found.n, found.same) == ("mild-paper", "wise-paper", 10, 0.5)
    assert found.kappa == 0
    # One right and one wrong is no majority.
    assert row(scores, "open").unjudged == 0.5
    assert row(score(out, judges=["mild-paper"]), "open").accuracy == 1
    assert "kappa" in written(grids([scores]), "text")


def test_a_judge_works_while_the_run_goes_on(toy, tmp_path, endpoint):
    task, out = toy(60), tmp_path / "out"
    (tmp_path / "slow.py").write_text(SLOW, encoding="utf-8")
    lenient(endpoint)
    running = threading.Thread(target=made, args=(task, out, f"{tmp_path}/slow.py:SLOW:x"))
    running.start()
    while not (out / "journal.jsonl").is_file():
        time.sleep(0.01)
    first: list[bool] = []
    answer = endpoint.answer

    def noting(body, number):
        first.append(running.is_alive())
        return answer(body, number)

    endpoint.answer = noting
    account = judge(out, judging(endpoint))
    assert not running.is_alive() or not running.join(5)
    assert first[0], "the first question came before the last answer"
    assert account.wanted == account.asked == 15
    assert row(score(out), "open").judged == 1


def test_without_waiting_only_what_is_there_is_judged(toy, tmp_path, endpoint):
    out = made(toy(40, reports=False), tmp_path / "out")
    lines = (out / "journal.jsonl").read_bytes().splitlines(keepends=True)
    (out / "journal.jsonl").write_bytes(b"".join(lines[:21]))
    lenient(endpoint)
    with locked(out):  # as a run does that is under way
        account = judge(out, judging(endpoint), wait=False)
    assert account.wanted == account.asked == 7


def test_the_same_judge_does_not_work_twice(toy, tmp_path, endpoint):
    out = made(toy(4), tmp_path / "out")
    with locked(out / "judges" / ".wise-paper.lock"), pytest.raises(SettingsError, match="another"):
        judge(out, judging(endpoint))
