"""The online driver against an endpoint that counts what it bills."""

import re
import shlex
import sqlite3
import threading
import time

import pytest

from lingshu_core.errors import SettingsError, Stopped
from lingshu_core.manifest import Manifest
from lingshu_core.records import Instruction
from lingshu_synth.journal import NAME


def responses(out):
    return [record.response for record in Manifest(out).of(Instruction)]


def aside(out):
    return [(record.id, record.tags["reason"]) for record in Manifest(out / "set-aside")]


def attempts(folder):
    with sqlite3.connect(folder / "journal" / NAME) as database:
        rows = database.execute("SELECT state, count(*) FROM attempt GROUP BY state").fetchall()
    database.close()
    return dict(rows)


def test_every_record_is_answered_once(server, pictures, calls, texts):
    mock = server()
    out = calls(texts(60), mock.url)
    assert len(responses(out)) == 60
    stats = mock.stats()
    assert (stats["billed"], stats["repeated"]) == (60, 0)
    assert stats["most_open"] <= 16


@pytest.mark.parametrize("count", [40, pytest.param(1000, marks=pytest.mark.slow)])
def test_one_record_more_is_one_call_more(server, calls, texts, count):
    mock = server()
    calls(texts(count), mock.url, "a")
    assert mock.stats()["billed"] == count
    out = calls(texts(count + 1), mock.url, "b")
    assert mock.stats()["billed"] == count + 1 and len(responses(out)) == count + 1


def test_nothing_but_the_question_counts(server, pictures, calls, texts):
    """Other order, other ids, other file, other endpoint, other concurrency: no call."""
    mock = server()
    records = texts(30)
    calls(records, mock.url, "a")
    other = [record.replace(id=f"other/{n}") for n, record in enumerate(records[::-1])]
    url = mock.url.replace("127.0.0.1", "localhost")
    calls(other, url, "b", calls={"concurrency": 3, "timeout": 10.0})
    assert mock.stats()["billed"] == 30


def test_other_words_or_settings_are_other_calls(server, pictures, calls, texts):
    mock = server()
    records = texts(10)
    calls(records, mock.url, "a")
    calls(texts(10, "changed"), mock.url, "b")
    calls(records, mock.url, "c", model={"temperature": 0.1})
    assert mock.stats()["billed"] == 30


def test_the_same_call_twice_is_paid_once(server, pictures, calls, texts):
    mock = server("mock_endpoint.py", "--latency", 0.05)
    (one,) = texts(1)
    out = calls([one.replace(id=f"drawn/{n}") for n in range(20)], mock.url)
    assert mock.stats()["billed"] == 1
    assert len(set(responses(out))) == 1 and len(responses(out)) == 20


def test_a_mended_reader_costs_nothing(server, pictures, calls, texts, monkeypatch):
    mock = server()
    records = texts(10, 'SAY[{"answer": 1}]YAS')
    from lingshu_synth import asking

    good = asking._read
    monkeypatch.setattr(
        asking, "_read", lambda want, reply: asking.Rejected("misread", "a broken parser")
    )
    out = calls(records, mock.url, "a")
    assert len(aside(out)) == 10 and not responses(out)
    monkeypatch.setattr(asking, "_read", good)
    out = calls(records, mock.url, "b", replay=True)
    assert responses(out) == ['{"answer": 1}'] * 10
    assert mock.stats()["billed"] == 10


def test_one_record_that_gets_400_is_one_rejected_record(server, pictures, calls, texts):
    mock = server()
    records = [*texts(20), *texts(1, "STATUS-400", start=20)]
    out = calls(records, mock.url)
    assert len(responses(out)) == 20 and aside(out) == [("drawn/20", "unanswered")]
    assert mock.stats()["billed"] == 21, "400 is not tried again"
    calls(records, mock.url, "again")
    assert mock.stats()["billed"] == 21, "nor in the next run"


@pytest.mark.parametrize(
    ("word", "reason"),
    [("REFUSE", "refusal"), ("FILTER", "content_filter"), ("CUT", "cut_off")],
)
def test_ways_of_no_answer_are_told_apart_and_kept(server, pictures, calls, texts, word, reason):
    mock = server()
    records = texts(3, word)
    out = calls(records, mock.url, "a")
    assert [why for _, why in aside(out)] == [reason] * 3
    calls(records, mock.url, "b")
    assert mock.stats()["billed"] == 3, "they are never paid again unasked"
    again = {"refusal": "refusal", "content_filter": "content_filter", "cut_off": "length"}[reason]
    for name in ("c", "d"):
        calls(records, mock.url, name, calls={"ask_again": [again]})
    assert mock.stats()["billed"] == 6, "and once more where that is wished, but only once"


@pytest.mark.slow
def test_a_fault_is_tried_again(server, pictures, calls, texts):
    mock = server()
    proxy = server("fault_proxy.py", mock.url, "--faults", "500,drop", "--share", 0.4)
    out = calls(texts(40), proxy.url, calls={"attempts": 12})
    assert len(responses(out)) == 40
    assert sum(proxy.get("/proxy/stats").values()) > 5
    assert attempts(pictures.folder)["answered"] == 40


@pytest.mark.slow
def test_a_dead_endpoint_stops_the_run_and_loses_nothing(server, pictures, calls, texts):
    mock = server()
    url = mock.url
    records = texts(30)
    calls(records[:10], url, "a")
    mock.stop()
    with pytest.raises(Stopped, match="goes on"):
        calls(records, url, "b", calls={"attempts": 2})
    assert not (pictures.folder / "b").exists()
    other = server()
    assert len(responses(calls(records, other.url, "b"))) == 30
    assert other.stats()["billed"] == 20


def test_the_next_endpoint_takes_over(server, pictures, calls, texts):
    dead, mock = server(), server()
    url = dead.url
    dead.stop()
    endpoints = [{"url": url}, {"url": mock.url, "kind": "vllm"}]
    out = calls(texts(12), "", endpoints=endpoints)
    assert len(responses(out)) == 12 and mock.stats()["billed"] == 12


@pytest.mark.slow
def test_the_next_endpoint_takes_over_in_the_middle_of_a_run(server, pictures, calls, texts):
    first, second = server("mock_endpoint.py", "--latency", 0.05), server()

    def die() -> None:
        while first.stats()["billed"] < 20:
            time.sleep(0.01)
        first.stop()

    end = threading.Thread(target=die)
    end.start()
    endpoints = [{"url": first.url}, {"url": second.url, "kind": "vllm"}]
    out = calls(texts(80), "", endpoints=endpoints)
    end.join()
    assert len(responses(out)) == 80 and not aside(out)
    with sqlite3.connect(pictures.folder / "journal" / NAME) as database:
        rows = database.execute(
            "SELECT endpoint, count(*) FROM attempt WHERE state = 'answered' GROUP BY endpoint"
        ).fetchall()
    database.close()
    answered = dict(rows)
    assert answered["vllm"] == second.stats()["billed"] >= 40
    assert answered["openai"] + answered["vllm"] == 80


@pytest.mark.parametrize("status", [401, 403, 404])
def test_an_endpoint_that_answers_nothing_is_said_so(server, pictures, calls, texts, status):
    mock = server()
    with pytest.raises(SettingsError, match=str(status)):
        calls(texts(5, f"STATUS-{status}"), mock.url)
    assert mock.stats()["billed"] <= 5


def test_a_budget_is_kept(server, pictures, calls, texts):
    mock = server()
    records = texts(50, "word " * 400)
    settings = {"model": {"name": "gpt-4o"}, "calls": {"budget": 0.05, "concurrency": 4}}
    with pytest.raises(Stopped, match="budget"):
        calls(records, mock.url, **settings)
    billed = mock.stats()["billed"]
    assert 0 < billed < 50
    with sqlite3.connect(pictures.folder / "journal" / NAME) as database:
        ((usd,),) = database.execute("SELECT sum(usd) FROM attempt").fetchall()
    database.close()
    assert 0 < usd <= 0.05
    assert len(responses(calls(records, mock.url, model={"name": "gpt-4o"}))) == 50
    assert mock.stats()["billed"] == 50


def test_a_budget_ends_a_command_that_goes_on(command, server, pictures, texts, tmp_path):
    mock = server()
    inputs = pictures.write(texts(9, "my knee hurts"), "talks")
    words = ["dialogues", inputs, "--out", tmp_path / "out", "--endpoint", mock.url]
    words += ["--model", "gpt-4o", "--budget", "0.03"]
    ends = [command(*words)]
    assert ends[0].returncode == 4 and not (tmp_path / "out").exists()
    assert "the budget of $0.03 is used up" in ends[0].stderr
    assert ends[0].stderr.endswith(f"again\n  {shlex.join(['lingshu-synth', *map(str, words)])}\n")
    assert 0 < mock.stats()["billed"] < 9
    while ends[-1].returncode == 4 and len(ends) < 30:
        ends.append(command(*words))
    assert ends[-1].returncode == 0 and len(Manifest(tmp_path / "out")) == 9
    assert len(ends) > 2
    assert (mock.stats()["billed"], mock.stats()["repeated"]) == (9, 0)


def test_a_budget_needs_a_price(server, pictures, calls, texts):
    with pytest.raises(SettingsError, match="no price"):
        calls(texts(1), server().url, calls={"budget": 1.0})


def test_own_prices(server, pictures, calls, texts, tmp_path):
    prices = tmp_path / "prices.toml"
    prices.write_text("[models.mock]\nprompt = 1000000.0\nreply = 0.0\n")
    with pytest.raises(Stopped, match="budget"):
        calls(texts(5), server().url, calls={"budget": 0.5, "prices": str(prices)})


@pytest.mark.slow
def test_a_hard_limit_is_met_without_a_storm(server, pictures, calls, texts):
    mock = server("mock_endpoint.py", "--limit", 20, "--latency", 0.02)
    start = time.monotonic()
    endpoints = [{"url": mock.url, "requests_per_minute": 3600}]
    # One attempt a call: being turned away for pace uses none up.
    out = calls(texts(60), "", endpoints=endpoints, calls={"attempts": 1})
    assert len(responses(out)) == 60
    assert 0 < mock.stats()["refused"] <= 15
    assert time.monotonic() - start < 12


@pytest.mark.slow
def test_a_limit_in_the_headers_is_never_exceeded(server, pictures, calls, texts):
    mock = server("mock_endpoint.py", "--limit", 20, "--tell-limit", "--latency", 0.02)
    out = calls(texts(40), mock.url)
    assert len(responses(out)) == 40
    assert mock.stats()["refused"] <= 4


def test_stored_completions_are_not_paid_again(server, pictures, calls, texts):
    """What was under way when a run was killed is asked for at the endpoint."""
    mock = server()
    records = texts(8)
    endpoints = [{"url": mock.url, "stores": True}]
    calls(records, "", "a", endpoints=endpoints)
    with sqlite3.connect(pictures.folder / "journal" / NAME) as database:
        database.execute("UPDATE attempt SET state = 'sent', raw = NULL WHERE id > 4")
        database.execute("UPDATE call SET reply = NULL, replies = 0 WHERE id > 4")
    database.close()
    out = calls(records, "", "b", endpoints=endpoints)
    assert mock.stats()["billed"] == 8
    assert responses(out) == responses(pictures.folder / "a")


def test_without_storing_what_was_under_way_is_told(server, pictures, calls, texts, capsys):
    mock = server()
    records = texts(8)
    calls(records, mock.url, "a", model={"name": "gpt-4o"})
    with sqlite3.connect(pictures.folder / "journal" / NAME) as database:
        database.execute("UPDATE attempt SET state = 'sent', raw = NULL WHERE id > 5")
        database.execute("UPDATE call SET reply = NULL, replies = 0 WHERE id > 5")
    database.close()
    calls(records, mock.url, "b", model={"name": "gpt-4o"})
    assert mock.stats()["repeated"] == 3
    told = capsys.readouterr().err
    assert "3 calls were under way" in told and "costs up to $0.00" in told


def test_the_account_is_told_while_it_runs(server, calls, texts, capsys, monkeypatch):
    from lingshu_synth.drivers import online

    monkeypatch.setattr(online, "_TOLD_EVERY", 0.05)
    mock = server("mock_endpoint.py", "--latency", 0.05)
    calls(texts(8), mock.url, model={"name": "gpt-4o"}, calls={"concurrency": 2})
    told = [line for line in capsys.readouterr().err.splitlines() if "calls answered" in line]
    counts = [int(re.search(r"(\d+) calls answered", line)[1]) for line in told]
    assert counts == sorted(counts) and counts[-1] == 8 and any(0 < n < 8 for n in counts)
    assert re.search(r"8 calls answered, \d+ \+ \d+ tokens, \$0\.\d\d", told[-1])
