"""Kills of scoring and judging: a few of those of the bench, which says what must hold."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

BENCH = Path(__file__).parent.parent / "bench" / "kills_after.py"


@pytest.mark.slow
def test_killed_scoring_and_judging_end_as_undisturbed_ones(tmp_path: Path) -> None:
    words = ["--kills", "3", "--items", "200", "--out", str(tmp_path / "found.json")]
    done = subprocess.run([sys.executable, str(BENCH), *words], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found = json.loads((tmp_path / "found.json").read_bytes())
    score, judge = found["score"], found["judge"]
    assert score == {"kills": 3, "broken": 0, "equal": True, "items": 200}
    assert judge["kills"] > 0 and judge["equal"] and judge["asked_again"] == 0
    assert judge["verdicts"] == 200
    assert judge["lost_in_flight"] <= judge["kills"]
