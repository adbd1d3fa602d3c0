"""How workers start."""

from pathlib import Path

from lingshu_train.loader import worker_context

ASK = """
import sys
from pathlib import Path
names = ("torch", "lingshu_train.loader", "transformers.models.qwen2.tokenization_qwen2")
Path({out!r}).write_text(" ".join(name for name in names if name in sys.modules))
"""


def test_a_worker_imports_nothing_that_the_server_has_imported_already(tmp_path: Path) -> None:
    out = tmp_path / "modules"
    worker = worker_context().Process(target=exec, args=(ASK.format(out=str(out)),))
    worker.start()
    worker.join(60)
    assert worker.exitcode == 0
    assert out.read_text().split() == [
        "torch", "lingshu_train.loader", "transformers.models.qwen2.tokenization_qwen2",
    ]  # fmt: skip
