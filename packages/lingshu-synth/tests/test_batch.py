"""The batch driver against an endpoint with a Batch API, and with a folder in its place."""

import json
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from lingshu_core.errors import Stopped
from lingshu_core.manifest import Manifest
from lingshu_core.records import Instruction

QUICK = {"batch": True, "batch_poll": 0.05}


def responses(out):
    return [record.response for record in Manifest(out).of(Instruction)]


def test_batches_bring_what_online_calls_bring(server, calls, texts, pictures):
    mock = server("mock_endpoint.py", "--batch-time", 0.1)
    records = texts(30)
    out = calls(records, mock.url, "a", calls=QUICK | {"batch_requests": 8})
    stats = mock.stats()
    assert (stats["billed"], stats["batches"]) == (30, 4)
    other = calls(records, server().url, "b", journal=pictures.folder / "other")
    assert (out / "part-00000.jsonl").read_bytes() == (other / "part-00000.jsonl").read_bytes()


def test_online_and_batch_share_the_journal(server, calls, texts):
    mock = server("mock_endpoint.py", "--batch-time", 0.1)
    calls(texts(10), mock.url, "a")
    calls(texts(15), mock.url, "b", calls=QUICK)
    calls(texts(16), mock.url, "c")
    assert mock.stats()["billed"] == 16


def test_files_end_where_the_limits_are(server, calls, texts):
    mock = server("mock_endpoint.py", "--batch-time", 0.1)
    calls(texts(20, "word " * 100), mock.url, calls=QUICK | {"batch_bytes": 4000})
    assert mock.stats()["batches"] >= 4 and mock.stats()["billed"] == 20


def test_what_expires_goes_into_a_later_batch(server, calls, texts):
    mock = server("mock_endpoint.py", "--batch-time", 0.1, "--expire")
    out = calls(texts(20), mock.url, calls=QUICK)
    stats = mock.stats()
    assert len(responses(out)) == 20
    assert (stats["billed"], stats["repeated"], stats["batches"]) == (20, 0, 2)


def test_errors_of_single_requests_reject_single_records(server, calls, texts):
    mock = server("mock_endpoint.py", "--batch-time", 0.1)
    out = calls([*texts(5), *texts(1, "STATUS-400", start=5)], mock.url, calls=QUICK)
    assert len(responses(out)) == 5 and len(Manifest(out / "set-aside")) == 1


def test_what_the_server_stumbles_over_is_one_rejected_record(server, calls, texts):
    mock = server("mock_endpoint.py", "--batch-time", 0.1)
    records = [*texts(5), *texts(1, "STATUS-500", start=5)]
    out = calls(records, mock.url, calls=QUICK | {"attempts": 3})
    (aside,) = Manifest(out / "set-aside")
    assert len(responses(out)) == 5 and aside.tags["reason"] == "unanswered"
    assert "status 500" in aside.tags["detail"]
    assert (mock.stats()["billed"], mock.stats()["batches"]) == (5 + 3, 3)


def test_a_key_that_is_turned_away_line_by_line_stops_the_run(server, calls, texts, tmp_path):
    mock = server("mock_endpoint.py", "--batch-time", 0.1)
    with pytest.raises(Stopped, match="status 401"):
        calls(texts(3, "STATUS-401"), mock.url, calls=QUICK)
    assert mock.stats()["batches"] == 1 and not (tmp_path / "out").exists()


def test_several_stages_take_several_rounds(server, synth, asked_questions, tmp_path):
    mock = server("mock_endpoint.py", "--batch-time", 0.1)
    out = synth(
        "cot",
        asked_questions,
        tmp_path / "out",
        model={"name": "mock"},
        calls=QUICK | {"endpoints": [{"url": mock.url}]},
    )
    assert mock.stats()["batches"] == 2
    assert all(question.rationale for question in Manifest(out))


def test_pictures_are_cleared_from_the_endpoint(server, synth, gallery, tmp_path):
    mock = server("mock_endpoint.py", "--batch-time", 0.1)
    synth(
        "captions",
        gallery,
        tmp_path / "out",
        limit=4,
        model={"name": "mock"},
        calls=QUICK | {"endpoints": [{"url": mock.url}]},
    )
    stats = mock.stats()
    assert stats["billed"] == 12 and stats["batches"] == 2
    assert stats["files"] == 2, "the files of requests are gone, those of answers are there"
    assert not list((tmp_path / "synth-journal" / "chunks").iterdir())
    assert not (tmp_path / "synth-journal" / "pictures").exists()


def test_a_folder_stands_for_an_endpoint(calls, texts, tmp_path, server):
    place = tmp_path / "place"
    place.mkdir()
    url = f"file:{place}"
    with pytest.raises(Stopped, match="run_batch"):
        calls(texts(6), url, calls=QUICK)
    (source,) = place.glob("*.jsonl")
    lines = [json.loads(line) for line in source.read_text().splitlines()]
    assert len(lines) == 6 and lines[0]["url"] == "/v1/chat/completions"
    done = []
    for line in lines[:4]:
        body = {"choices": [{"message": {"content": "said"}, "finish_reason": "stop"}]}
        answer = {"status_code": 200, "body": body}
        done.append({"custom_id": line["custom_id"], "response": answer, "error": None})
    # As vLLM writes of a request that it turned away: no body, and why beside the response.
    why = {"error": {"message": "too long", "type": "BadRequestError", "code": 400}}
    empty = {"status_code": 400, "body": None}
    done.append({"custom_id": lines[4]["custom_id"], "response": empty, "error": why})
    result = source.with_suffix(".out.jsonl")
    result.write_text("".join(json.dumps(line) + "\n" for line in done))
    with pytest.raises(Stopped, match="run_batch"):
        calls(texts(6), url, calls=QUICK)
    (source,) = (p for p in place.glob("*.jsonl") if not p.name.endswith(".out.jsonl"))
    (left,) = source.read_text().splitlines()
    assert json.loads(left) == lines[5], "only what is open goes out again"
    source.with_suffix(".out.jsonl").write_text(
        json.dumps(done[0] | {"custom_id": lines[5]["custom_id"]})
    )
    out = calls(texts(6), url, calls=QUICK)
    (aside,) = Manifest(out / "set-aside")
    assert len(responses(out)) == 5 and aside.tags["detail"] == "ask: status 400: too long"


_KILLED = """
    import os, signal, sys
    sys.path.insert(0, sys.argv[1])
    from pathlib import Path
    from lingshu_synth import batch_place, ledger
    from lingshu_synth.loading import Flags, load
    from lingshu_synth.runner import Job, Ways, run

    where, inputs, out, url, generator = sys.argv[2:]

    def die(*args, **kwargs):
        os.kill(os.getpid(), signal.SIGKILL)

    if where == "after upload":
        submit = batch_place.OpenAIPlace.submit
        def uploads(self, name, path):
            with path.open("rb") as file:
                self._patient.files.create(file=(f"{name}.jsonl", file), purpose="batch")
            die()
        batch_place.OpenAIPlace.submit = uploads
    elif where == "after create":
        ledger.Ledger.submitted = die
    elif where == "while settling":
        lines = batch_place.OpenAIPlace.lines
        def some(self, remote):
            for number, line in enumerate(lines(self, remote)):
                if number == 3:
                    die()
                yield line
        batch_place.OpenAIPlace.lines = some
    elif where == "while gathering":
        add = ledger.Ledger.add
        def half(self, to, *rest):
            if to.count == 5:
                die()
            add(self, to, *rest)
        ledger.Ledger.add = half
    settings = load(generator, "", Flags(endpoint=url, model="mock", batch=True),
                    ["calls.batch_poll=0.05", "calls.batch_requests=10", "model.max_tokens=100"])
    run(Job(generator, (Path(inputs),), Path(out), settings, Ways(Path(out).parent / "journal")))
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    "where", ["while gathering", "after upload", "after create", "while settling"]
)
def test_killed_anywhere_no_call_is_paid_twice(server, pictures, texts, calls, where, tmp_path):
    mock = server("mock_endpoint.py", "--batch-time", 0.1)
    records = texts(20)
    pictures.write(records, "in-out")
    generator = f"{Path(__file__).parents[1] / 'bench' / 'one_call.py'}:GENERATOR"
    words = [where, tmp_path / "in-out", tmp_path / "out", mock.url, generator]
    killed = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(_KILLED), str(Path(__file__).parent)]
        + [str(word) for word in words],
        capture_output=True,
        text=True,
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    time.sleep(0.2)
    out = calls(records, mock.url, calls=QUICK | {"batch_requests": 10})
    stats = mock.stats()
    assert len(responses(out)) == 20
    assert (stats["billed"], stats["repeated"]) == (20, 0)
