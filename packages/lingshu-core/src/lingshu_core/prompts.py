"""Prompts as resources: one Markdown file each, strict placeholders, known by their hash."""

import hashlib
import string
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from lingshu_core.errors import SettingsError
from lingshu_core.recipe import nearest


@dataclass(frozen=True)
class Prompt:
    """A prompt with `${field}` placeholders."""

    name: str
    text: str

    @property
    def sha256(self) -> str:
        """The hash of the text before anything is filled in."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    @property
    def fields(self) -> frozenset[str]:
        """The names of the placeholders."""
        return frozenset(string.Template(self.text).get_identifiers())

    def render(self, **fields: str) -> str:
        """Returns the text with every placeholder filled in.

        Values are put in as they are, in one pass: a value that looks like a placeholder stays
        text. KeyError where a field is missing or unknown.
        """
        if fields.keys() != self.fields:
            odd = sorted(fields.keys() ^ self.fields)
            raise KeyError(f"prompt {self.name!r}: fields {odd} are missing or unknown")
        return string.Template(self.text).substitute(fields)


def load_prompt(package: str, name: str, *, folder: Path | None = None) -> Prompt:
    """Returns a prompt of a package, or the user's own of the same name.

    Args:
        package: Import name of the package that ships `prompts/NAME.md`.
        name: May hold folders: `captions/factual`.
        folder: The user's folder of prompts; what it lacks comes from the package.

    Raises:
        SettingsError: There is no such prompt, or the user's has placeholders that the package's
            does not fill.
    """
    shipped_file = files(package).joinpath("prompts", f"{name}.md")
    if not shipped_file.is_file():
        known = [
            path.name.removesuffix(".md") for path in files(package).joinpath("prompts").iterdir()
        ]
        raise SettingsError(f"{package} has no prompt {name!r}{nearest(name, known)}")
    shipped = Prompt(name, shipped_file.read_text(encoding="utf-8").strip())
    own = None if folder is None else folder / f"{name}.md"
    if own is None or not own.is_file():
        return shipped
    prompt = Prompt(name, own.read_text(encoding="utf-8").strip())
    if not prompt.fields <= shipped.fields:
        unknown = sorted(prompt.fields - shipped.fields)
        raise SettingsError(
            f"{own}: the placeholders {unknown} are unknown; known: {sorted(shipped.fields)}"
        )
    return prompt
