"""How workers start."""

import subprocess
import sys

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
