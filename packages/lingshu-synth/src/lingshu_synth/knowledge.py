"""Notes on diseases that go along with a picture: the package's, and a folder of the user's own.

A note is a Markdown file: a heading with the name, a line `Also: …` with other names where there
are any, and some sentences on what the disease looks like in pictures.
"""

from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from lingshu_core.errors import SettingsError
from lingshu_synth.naming import readable

_ALSO = "Also:"


@cache
def load_notes(folder: str | None) -> dict[str, str]:
    """Returns all notes by every name they go by; the user's stand before the package's.

    Raises:
        SettingsError: The folder or one of its notes cannot be read.
    """
    notes = dict(_notes(files("lingshu_synth").joinpath("knowledge")))
    if folder is not None:
        if not Path(folder).is_dir():
            raise SettingsError(f"{folder}: there is no such folder of notes")
        notes |= dict(_notes(Path(folder)))
    return notes


def knowledge_on(names: list[str], notes: dict[str, str]) -> str:
    """Returns the notes on some diseases or organs, one after the other; each stands once."""
    found = [notes[key] for name in names if (key := _key(name)) in notes]
    return "\n\n".join(dict.fromkeys(found))


def _notes(folder: Traversable) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for file in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if not file.name.endswith(".md"):
            continue
        try:
            lines = file.read_text(encoding="utf-8").strip().splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsError(f"{file}: the note cannot be read ({error})") from None
        name = lines[0].removeprefix("#").strip() if lines else ""
        if not name:
            raise SettingsError(f"{file}: a note begins with a heading, the name of the disease")
        also = [line for line in lines[1:3] if line.startswith(_ALSO)]
        names = [name, *(other for line in also for other in line[len(_ALSO) :].split(","))]
        text = " ".join(line.strip() for line in lines[1:] if line not in also and line.strip())
        found += [(_key(other), f"{name}: {text}") for other in names if other.strip()]
    return found


def _key(name: str) -> str:
    return readable(name).casefold()
