"""Prompts as resources: one Markdown file each, strict placeholders, known by their hash."""

import hashlib
import string
from dataclasses import dataclass, replace
from importlib.resources import files
from pathlib import Path

from lingshu_core.errors import SettingsError
from lingshu_core.recipe import nearest, shipped_names


@dataclass(frozen=True)
class Prompt:
    """A prompt with `${field}` placeholders."""

    name: str
    text: str
    unused: frozenset[str] = frozenset()
    """Fields that may be given and that this wording does without."""

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
        odd = sorted(fields.keys() - self.unused ^ self.fields)
        if odd:
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
    known = shipped_prompts(package)
    if name not in known:
        raise SettingsError(f"{package} has no prompt {name!r}{nearest(name, known)}")
    shipped_file = files(package).joinpath("prompts", f"{name}.md")
    shipped = Prompt(name, shipped_file.read_text(encoding="utf-8").strip())
    own = None if folder is None else folder / f"{name}.md"
    return shipped if own is None or not own.is_file() else _own(own, shipped)


def shipped_prompts(package: str) -> list[str]:
    """Returns the names of a package's prompts, such as `captions/factual`."""
    return shipped_names(package, "prompts", ".md")


def _own(path: Path, shipped: Prompt) -> Prompt:
    try:
        prompt = Prompt(shipped.name, path.read_text(encoding="utf-8").strip())
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: the prompt cannot be read ({error})") from None
    if not string.Template(prompt.text).is_valid():
        raise SettingsError(f"{path}: a lone `$` is no placeholder; write `$$` for a dollar sign")
    if not prompt.fields <= shipped.fields:
        unknown = sorted(prompt.fields - shipped.fields)
        raise SettingsError(
            f"{path}: the placeholders {unknown} are unknown; known: {sorted(shipped.fields)}"
        )
    return replace(prompt, unused=shipped.fields - prompt.fields)
