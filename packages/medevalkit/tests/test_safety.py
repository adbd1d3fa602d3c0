"""What the code of the package never does, read off its own syntax."""

import ast
from pathlib import Path

import pytest

SOURCE = Path(__file__).parent.parent / "src" / "medevalkit"
FILES = sorted(SOURCE.rglob("*.py"))
NEVER = {"eval", "exec", "compile", "__import__", "os.system", "os.popen"}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_nothing_is_evaluated_and_no_shell_is_started(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call):
            continue
        assert ast.unparse(node.func) not in NEVER, f"line {node.lineno}"
        for word in node.keywords:
            if word.arg in {"shell", "trust_remote_code"}:
                fixed = isinstance(word.value, ast.Constant) and word.value.value
                assert not fixed, f"line {node.lineno}: {word.arg}"
