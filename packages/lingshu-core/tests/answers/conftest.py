"""The answers that the tests read: one a line, escaped, in `data/`."""

import json
import re
from pathlib import Path

import pytest

DATA = Path(__file__).parent / "data"
_ESCAPED = re.compile(r"\\(.)")


def _unescape(text):
    return _ESCAPED.sub(lambda found: {"n": "\n", "t": "\t"}.get(found[1], found[1]), text)


@pytest.fixture(scope="session")
def rows():
    """Returns the rows of a file of the data folder."""

    def read(name):
        lines = (DATA / name).read_text(encoding="utf-8").splitlines()
        return [tuple(map(_unescape, line.split("\t"))) for line in lines]

    return read


@pytest.fixture(scope="session")
def option_sets():
    return json.loads((DATA / "options.json").read_text(encoding="utf-8"))
