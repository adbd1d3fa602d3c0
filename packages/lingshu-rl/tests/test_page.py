"""The page of a run is the same bytes for the same numbers."""

import os
import subprocess
import sys

PROGRAM = """
from lingshu_rl.page import _reasons
names = [f"accuracy:{word}" for word in ("exact", "several", "hedged", "empty")]
line = {"reasons": dict.fromkeys([*names, "format:malformed"], 4)}
print([row[:2] for row in _reasons([line] * 8).rows])
"""


def test_equal_counts_stand_in_the_order_of_their_names():
    said = {
        subprocess.run(
            [sys.executable, "-c", PROGRAM],
            env=os.environ | {"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2", "3", "4")
    }
    assert len(said) == 1
    rows = said.pop()
    assert rows.index("'empty'") < rows.index("'exact'") < rows.index("'malformed'")
