"""The offline vLLM engine with a model of random weights: its texts are nonsense, the run is real.

One start of the engine serves all that is asked of it.
"""

import json
import subprocess
import sys
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


def test_a_run_with_vllm_answers_and_journals_every_item(toy, tiny_model, tmp_path, monkeypatch):
    if find_spec("vllm") is None:
        pytest.skip("vLLM is not installed")
    monkeypatch.setenv("VLLM_CPU_KVCACHE_SPACE", "1")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    task, out = toy(6, pictures=2), tmp_path / "out"
    words = ["run", "--model", f"vllm:{tiny_model}", "--tasks", f"manifest:{task}", "-o", str(out)]
    words += [word for setting in ENGINE for word in ("--set", setting)]
    command = [sys.executable, "-m", "medevalkit", *words]
    result = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    assert result.returncode == 0, result.stderr
    assert "never awaited" not in result.stderr and "Traceback" not in result.stderr

    said = list(Manifest(out / "predictions").of(Prediction))
    assert [one.item for one in said] == [record.id for record in Manifest(task)]
    assert all(one.finish_reason in {"stop", "length"} for one in said)
    assert any(one.response for one in said)
    journal = (out / "journal.jsonl").read_text(encoding="utf-8").splitlines()
    assert len([line for line in map(json.loads, journal) if "prediction" in line]) == 6

    # Nothing is left to ask: the engine does not start again.
    before = (out / "journal.jsonl").read_bytes()
    monkeypatch.setitem(sys.modules, "vllm", None)
    again = CliRunner().invoke(app, words, catch_exceptions=False)
    assert again.exit_code == 0
    assert (out / "journal.jsonl").read_bytes() == before
