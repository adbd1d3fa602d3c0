"""The prompts of this package: where they come from, their version and hash, and copies of them."""

import tomllib
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from lingshu_core.errors import SettingsError
from lingshu_core.files import write_atomic
from lingshu_core.prompts import shipped_prompts
from lingshu_synth.prompting import PACKAGE, prompt


@dataclass(frozen=True)
class Entry:
    """One prompt."""

    name: str
    version: int
    """Goes up with every change of the text."""
    source: str
    """What of the paper it carries."""
    sha256: str
    own: bool
    """Whether it is the user's own."""


def entries(folder: str | None = None) -> list[Entry]:
    """Returns all prompts, as they are used with a folder of the user's."""
    table = tomllib.loads(
        files(PACKAGE).joinpath("prompts", "versions.toml").read_text(encoding="utf-8")
    )
    found = []
    for name in shipped_prompts(PACKAGE):
        used, shipped = prompt(name, folder), prompt(name, None)
        told = table[name]
        own = used.sha256 != shipped.sha256
        found.append(Entry(name, told["version"], told["source"], used.sha256, own))
    return found


def copy_to(folder: Path) -> int:
    """Writes all prompts into a folder, to be changed there; returns how many.

    Raises:
        SettingsError: The folder holds something already.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise SettingsError(f"{folder} exists already: remove it, or name another")
    names = shipped_prompts(PACKAGE)
    for name in names:
        write_atomic(folder / f"{name}.md", prompt(name, None).text + "\n")
    return len(names)
