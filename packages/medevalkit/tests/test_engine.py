"""The offline vLLM engine with a model of random weights: its texts are nonsense, the run is real.

One engine alone, two side by side, one in each part of a Ray cluster; what has to be killed is slow
besides.
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


def on_the_cpu(patch):
    if find_spec("vllm") is None:
        pytest.skip("vLLM is not installed")
    patch.setenv("VLLM_CPU_KVCACHE_SPACE", "1")
    patch.setenv("OMP_NUM_THREADS", "1")
    patch.setenv("HF_HUB_OFFLINE", "1")
    patch.setenv("LINGSHU_PLUGINS", "0")


@pytest.fixture(autouse=True)
def _on_the_cpu(monkeypatch):
    on_the_cpu(monkeypatch)


def asking(model, task, out, *more):
    words = ["run", "--model", f"vllm:{model}", "--tasks", f"manifest:{task}", "-o", str(out)]
    return words + [word for setting in (*ENGINE, *more) for word in ("--set", setting)]


def responses(out):
    return [said.response for said in Manifest(out / "predictions").of(Prediction)]


def answered(out):
    path = out / "journal.jsonl"
    lines = path.read_bytes().splitlines(keepends=True) if path.is_file() else []
    return [line for line in lines if b'"prediction"' in line and line.endswith(b"\n")]


def ended(words):
    command = [sys.executable, "-m", "medevalkit", *map(str, words)]
    result = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    assert result.returncode == 0, result.stderr
    assert "never awaited" not in result.stderr and "Traceback" not in result.stderr


@pytest.fixture(scope="module")
def one(tiny_model, toy_in, tmp_path_factory):
    """Returns a task and the folder of a run on it, by one engine."""
    place = tmp_path_factory.mktemp("one")
    task = toy_in(place / "toy", 6, pictures=2)
    with pytest.MonkeyPatch.context() as patch:
        on_the_cpu(patch)
        ended(asking(tiny_model, task, place / "out"))
    return task, place / "out"


def test_a_run_with_vllm_answers_and_journals_every_item(one, tiny_model, monkeypatch):
    task, out = one
    said = list(Manifest(out / "predictions").of(Prediction))
    assert [one.item for one in said] == [record.id for record in Manifest(task)]
    assert all(one.finish_reason in {"stop", "length"} for one in said)
    assert any(one.response for one in said)
    assert len(answered(out)) == 6

    # Nothing is left to ask: the engine does not start again.
    before = (out / "journal.jsonl").read_bytes()
    monkeypatch.setitem(sys.modules, "vllm", None)
    words = asking(tiny_model, task, out)
    again = CliRunner().invoke(app, words, catch_exceptions=False)
    assert again.exit_code == 0
    assert (out / "journal.jsonl").read_bytes() == before


def test_engines_side_by_side_give_the_scores_of_one(one, tiny_model, tmp_path):
    task, out = one
    ended(asking(tiny_model, task, tmp_path / "two", "engine.data_parallel=2"))
    assert (tmp_path / "two" / "scores.json").read_bytes() == (out / "scores.json").read_bytes()
    assert responses(tmp_path / "two") == responses(out)


@pytest.mark.slow
def test_an_engine_on_two_workers_gives_the_scores_of_one(one, tiny_model, tmp_path, monkeypatch):
    # On the CPU vLLM wants a NUMA node for each worker, unless it is told where they belong.
    cores = sorted(os.sched_getaffinity(0))
    monkeypatch.setenv("VLLM_CPU_OMP_THREADS_BIND", f"{cores[0]}|{cores[-1]}")
    task, out = one
    ended(asking(tiny_model, task, tmp_path / "two", "engine.tensor_parallel=2"))
    assert (tmp_path / "two" / "scores.json").read_bytes() == (out / "scores.json").read_bytes()
    assert responses(tmp_path / "two") == responses(out)


def test_a_cluster_whose_parts_have_an_engine_each_gives_the_scores_of_one(
    one, tiny_model, tmp_path
):
    if find_spec("ray") is None:
        pytest.skip("Ray is not installed")
    task, out = one
    ended([*asking(tiny_model, task, tmp_path / "many"), "--ray", "local", "--parts", "2"])
    assert (tmp_path / "many" / "scores.json").read_bytes() == (out / "scores.json").read_bytes()
    assert responses(tmp_path / "many") == responses(out)


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
