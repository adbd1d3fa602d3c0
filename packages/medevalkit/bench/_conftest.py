"""What the tests share, for benches: the tiny model and the endpoint whose answers one decides."""

import importlib.util
from functools import cache
from pathlib import Path
from types import ModuleType

TESTS = Path(__file__).parent.parent / "tests" / "conftest.py"


@cache
def tests() -> ModuleType:
    """Returns the module of the tests' fixtures."""
    spec = importlib.util.spec_from_file_location("tests_of_medevalkit", TESTS)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
