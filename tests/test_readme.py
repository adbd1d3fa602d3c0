"""The figures of the README are those that the benches wrote."""

import importlib.util
import json
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def _bench(name: str) -> tuple[Any, Any]:
    spec = importlib.util.spec_from_file_location(name, ROOT / "bench" / f"{name}.py")
    assert spec is not None and spec.loader is not None
    bench = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(bench)
    results = (ROOT / "bench" / "results" / f"{name}.json").read_text(encoding="utf-8")
    return bench, json.loads(results)


def test_the_table_of_nano_is_what_its_bench_prints():
    nano, results = _bench("nano")
    assert nano.table(results["runs"]) in README


def test_the_table_of_real_data_is_what_its_bench_prints():
    real, results = _bench("real")
    assert real.table(results) in README


def test_time_and_memory_of_nano_are_those_measured():
    _, results = _bench("nano")
    said = " ".join(README.replace("took ", "").split())
    for run in results["runs"]:
        assert f"seed {run['seed']} {run['seconds'] / 60:.1f}" in said
    assert f"At most {max(run['peak_gb'] for run in results['runs']):.1f} GB" in said


def test_the_kills_of_nano_are_those_measured():
    _, results = _bench("nano_kills")
    assert all(results["same_bytes"].values()) and results["status"] == 0
    assert f"after {results['kills']} kills" in " ".join(README.split())


def test_the_comparison_of_recipes_is_what_its_bench_prints():
    comparison, results = _bench("rl_comparison")
    readme = (ROOT / "packages" / "lingshu-rl" / "README.md").read_text(encoding="utf-8")
    assert comparison.table(results) in readme
    assert comparison.differences(results) in readme
