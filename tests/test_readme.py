"""The figures of the README are those that the bench wrote."""

import importlib.util
import json
from pathlib import Path

ROOT = Path(__file__).parent.parent


def test_the_table_of_nano_is_what_its_bench_prints():
    spec = importlib.util.spec_from_file_location("nano", ROOT / "bench" / "nano.py")
    assert spec is not None and spec.loader is not None
    nano = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(nano)
    text = (ROOT / "bench" / "results" / "nano.json").read_text(encoding="utf-8")
    assert nano.table(json.loads(text)["runs"]) in (ROOT / "README.md").read_text(encoding="utf-8")
