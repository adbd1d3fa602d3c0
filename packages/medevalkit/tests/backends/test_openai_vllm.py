"""The `openai` backend against vLLM's own server over HTTP, with a model of random weights.

One start of the server serves all tests; it counts what it was asked.
"""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from importlib.util import find_spec

import pytest

from lingshu_core.manifest import Manifest
from lingshu_core.recipe import load_recipe
from lingshu_core.records import Prediction
from medevalkit.run import run
from medevalkit.score import score
from medevalkit.settings import RunSettings

pytestmark = [pytest.mark.engine, pytest.mark.timeout(900)]
CONTEXT, TOKENS, FLYING = 1024, 8, 2
ENDED = re.compile(r'^vllm:request_success_total\{.*finished_reason="(\w+)".*\} ([0-9.e+]+)$', re.M)


class Server:
    """`python -m vllm.entrypoints.openai.api_server`, as a user starts it."""

    def __init__(self, model, log):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.root = f"http://127.0.0.1:{port}"
        self._log = log
        command = [
            *(sys.executable, "-m", "vllm.entrypoints.openai.api_server"),
            *("--model", str(model), "--served-model-name", "tiny", "--dtype", "float32"),
            *("--max-model-len", str(CONTEXT), "--max-num-seqs", "4", "--enforce-eager"),
            *("--limit-mm-per-prompt", '{"image": 2}'),
            *("--host", "127.0.0.1", "--port", str(port)),
        ]
        more = {"VLLM_CPU_KVCACHE_SPACE": "1", "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}
        with log.open("wb") as file:
            self._process = subprocess.Popen(
                command, env=os.environ | more, stdout=file, stderr=file, start_new_session=True
            )

    def wait(self, seconds=600):
        """Returns when it answers."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            assert self._process.poll() is None, self._log.read_text()
            try:
                return self.get("/v1/models")
            except OSError:
                time.sleep(0.5)
        raise TimeoutError(self._log.read_text())

    def get(self, path):
        with urllib.request.urlopen(f"{self.root}{path}", timeout=10) as answer:
            return answer.read().decode()

    def ended(self):
        """Returns how many requests have ended, by vLLM's reason; `abort` where a client left."""
        counts = {}
        for reason, count in ENDED.findall(self.get("/metrics")):
            counts[reason] = counts.get(reason, 0) + int(float(count))
        return counts

    def end(self):
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()


@pytest.fixture(scope="module")
def server(tiny_model, tmp_path_factory):
    if find_spec("vllm") is None:
        pytest.skip("vLLM is not installed")
    found = Server(tiny_model, tmp_path_factory.mktemp("server") / "log.txt")
    try:
        found.wait()
        yield found
    finally:
        found.end()


def given(server, task, *more):
    return [
        *("model=openai:tiny", f'tasks=["manifest:{task}"]', f"endpoint.base_url={server.root}/v1"),
        *(f"sampling.max_new_tokens={TOKENS}", f"endpoint.concurrency={FLYING}", *more),
    ]


def ask(server, task, out, *more):
    run(load_recipe(RunSettings, None, given(server, task, *more)), out)
    return list(Manifest(out / "predictions").of(Prediction))


def test_items_with_and_without_pictures_are_answered_with_their_reasons(server, toy, tmp_path):
    task = toy(6, pictures=2)
    shown = ask(server, task, tmp_path / "shown")
    blind = ask(server, task, tmp_path / "blind", "blind=true")
    assert [one.item for one in shown] == [record.id for record in Manifest(task)]
    assert all(one.finish_reason in {"stop", "length"} for one in (*shown, *blind))
    assert {one.finish_reason for one in shown} >= {"length"}, "random weights seldom stop"
    assert all(one.completion_tokens == TOKENS for one in shown if one.finish_reason == "length")
    for with_picture, without in zip(shown, blind, strict=True):
        assert with_picture.prompt_tokens > without.prompt_tokens > 0
        assert with_picture.latency > 0
    assert score(tmp_path / "shown").rows[0].unanswered == 0


def test_the_reason_is_stop_where_the_model_was_told_where_to_stop(server, toy, tmp_path):
    task = toy(1, pictures=1)
    (whole,) = ask(server, task, tmp_path / "whole")
    assert whole.finish_reason == "length" and len(whole.response) > 2
    end = whole.response[-2:]
    (cut,) = ask(server, task, tmp_path / "cut", f"sampling.stop={json.dumps([end])}")
    assert cut.finish_reason == "stop"
    assert cut.response == whole.response[: whole.response.index(end)]


def test_an_item_that_does_not_fit_fails_alone_with_the_servers_words(server, toy, tmp_path):
    first, second = Manifest(toy(2, reports=False))
    long = tmp_path / "long.jsonl"
    records = [first.replace(question="word " * 4 * CONTEXT), second]
    long.write_text("".join(one.model_dump_json() + "\n" for one in records), encoding="utf-8")
    failed, answered = ask(server, long, tmp_path / "out")
    assert failed.finish_reason == "error" and str(CONTEXT) in failed.error
    assert answered.finish_reason in {"stop", "length"}


def test_killed_while_the_server_writes_it_goes_on_and_asks_nothing_twice(server, toy, tmp_path):
    items = 40
    task, out = toy(items, pictures=3, reports=False), tmp_path / "out"
    words = [word for one in given(server, task)[2:] for word in ("-s", one)]
    command = [
        *(sys.executable, "-m", "medevalkit", "run", "--model", "openai:tiny"),
        *("--tasks", f"manifest:{task}", "--out", str(out), *words),
    ]
    before, kills, kept = server.ended(), 0, set()
    while kills < 3:
        child = subprocess.Popen(command, stderr=subprocess.PIPE)
        while child.poll() is None and len(journaled(out)) < len(kept) + 8:
            time.sleep(0.005)
        assert child.poll() is None, child.communicate()[1]
        child.send_signal(signal.SIGKILL)
        child.communicate()
        kills += 1
        now = journaled(out)
        assert kept <= now
        kept = now
    done = subprocess.run(command, capture_output=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    said = list(Manifest(out / "predictions").of(Prediction))
    assert [one.item for one in said] == [record.id for record in Manifest(task)]
    after = server.ended()
    spent = sum(after.values()) - sum(before.values())
    # What was in flight at a kill may have been answered to nobody, and is asked again.
    assert items <= spent <= items + FLYING * kills
    rows = [json.loads(line) for line in (out / "journal.jsonl").read_text().splitlines()]
    keys = [row["key"] for row in rows if "key" in row]
    assert len(keys) == len(set(keys)) == items

    assert not subprocess.run(command, capture_output=True, timeout=300, check=False).returncode
    assert server.ended() == after


def journaled(out):
    """Returns the lines that a run has written in full."""
    path = out / "journal.jsonl"
    lines = path.read_bytes().split(b"\n")[1:-1] if path.is_file() else []
    return set(lines)
