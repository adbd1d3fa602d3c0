"""The offline vLLM engine with a model of random weights: its texts are nonsense, the run is real.

One start of the engine serves all that is asked of it; what has to be killed is slow besides.
"""

import json
import os
import signal
import subprocess
import sys
import time
from importlib.util import find_spec

import pytest
from typer.testing import CliRunner

from lingshu_core.manifest import Manifest
from lingshu_core.records import Prediction
from medevalkit.cli import app

pytestmark = [pytest.mark.engine, pytest.mark.timeout(900)]
ENGINE = (
    *("engine.dtype=float32", "engine.context=2048", "engine.pictures_per_item=2"),
    *("engine.arguments.enforce_eager=true", "engine.arguments.max_num_seqs=4"),
    *("sampling.max_new_tokens=8", "engine.window=4"),
)


@pytest.fixture(autouse=True)
def _on_the_cpu(monkeypatch):
    if find_spec("vllm") is None:
        pytest.skip("vLLM is not installed")
    monkeypatch.setenv("VLLM_CPU_KVCACHE_SPACE", "1")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")


def asking(model, task, out, *more):
    words = ["run", "--model", f"vllm:{model}", "--tasks", f"manifest:{task}", "-o", str(out)]
    return words + [word for setting in (*ENGINE, *more) for word in ("--set", setting)]


def answered(out):
    path = out / "journal.jsonl"
    lines = path.read_bytes().splitlines(keepends=True) if path.is_file() else []
    return [line for line in lines if b'"prediction"' in line and line.endswith(b"\n")]


def test_a_run_with_vllm_answers_and_journals_every_item(toy, tiny_model, tmp_path, monkeypatch):
    task, out = toy(6, pictures=2), tmp_path / "out"
    words = asking(tiny_model, task, out)
    command = [sys.executable, "-m", "medevalkit", *words]
    result = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    assert result.returncode == 0, result.stderr
    assert "never awaited" not in result.stderr and "Traceback" not in result.stderr

    said = list(Manifest(out / "predictions").of(Prediction))
    assert [one.item for one in said] == [record.id for record in Manifest(task)]
    assert all(one.finish_reason in {"stop", "length"} for one in said)
    assert any(one.response for one in said)
    assert len(answered(out)) == 6

    # Nothing is left to ask: the engine does not start again.
    before = (out / "journal.jsonl").read_bytes()
    monkeypatch.setitem(sys.modules, "vllm", None)
    again = CliRunner().invoke(app, words, catch_exceptions=False)
    assert again.exit_code == 0
    assert (out / "journal.jsonl").read_bytes() == before


@pytest.mark.slow
def test_killed_while_vllm_answers_it_loses_no_more_than_was_in_flight(toy, tiny_model, tmp_path):
    task, out = toy(40, pictures=2, reports=False), tmp_path / "out"
    words = asking(tiny_model, task, out, "sampling.max_new_tokens=32")
    command = [sys.executable, "-m", "medevalkit", *words]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    first = subprocess.Popen(command, start_new_session=True, **quiet)
    while len(answered(out)) < 5 and first.poll() is None:
        time.sleep(0.02)
    # The engine's processes as well, as when a machine goes down.
    os.killpg(first.pid, signal.SIGKILL)
    first.wait()
    kept = answered(out)
    assert 5 <= len(kept) < 40

    again = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    assert again.returncode == 0, again.stderr
    assert f"{40 - len(kept)} requests" in again.stderr
    whole = answered(out)
    assert whole[: len(kept)] == kept
    assert len({json.loads(line)["key"] for line in whole}) == len(whole) == 40
