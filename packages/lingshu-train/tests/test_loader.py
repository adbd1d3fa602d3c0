"""How workers start, and that they change nothing."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from lingshu_train.metrics import read_notes
from lingshu_train.runner import run_stage
from lingshu_train.settings import Stage
from lingshu_train.world import World

# In a process of its own: the server of an interpreter starts once, with what it was told before.
SCRIPT = """
import sys
from lingshu_train.loader import worker_context

ASK = '''
import sys
names = ("torch", "lingshu_train.loader", "transformers.models.qwen2.tokenization_qwen2")
print(" ".join(name for name in names if name in sys.modules), flush=True)
'''
worker = worker_context().Process(target=exec, args=(ASK,))
worker.start()
worker.join(100)
sys.exit(worker.exitcode)
"""


def test_a_worker_imports_nothing_that_the_server_has_imported_already() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == [
        "torch", "lingshu_train.loader", "transformers.models.qwen2.tokenization_qwen2",
    ]  # fmt: skip


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.filterwarnings("ignore:This DataLoader will create")  # on a machine of one core
def test_workers_change_nothing_but_who_decodes(
    tmp_path: Path, make_stage: Callable[..., Stage], world: World
) -> None:
    for workers in (0, 2):
        stage = make_stage(data={"workers": workers}, packing={"mode": "step"})
        run_stage(stage, "t", tmp_path / str(workers), world)
    one, other = (read_notes(tmp_path / name)[0] for name in "02")
    assert [note.loss for note in one] == [note.loss for note in other]
    weights = [(tmp_path / name / "model.safetensors").read_bytes() for name in "02"]
    assert weights[0] == weights[1]
