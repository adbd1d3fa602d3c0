"""The data beside the page: an index of every item, and the items in parts.

A page that is opened from the file system may not read files, but it may run them: each part is a
script that hands its content to a function of the page.
"""

import json
from array import array
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from lingshu_core.files import write_atomic
from medevalkit.page.entries import Entry

FOLDER = "data"
LABELS = 2000
"""Lines of the list in one file."""
_PART = 400_000
"""Characters of items in one file."""
_LABEL = 110
_COLUMNS = ("task", "kind", "modality", "language")
_ABSENT = "-"
_SIGNS = {
    "right": "r",
    "wrong": "w",
    "unparsed": "p",
    "unanswered": "a",
    "unjudged": "j",
    None: "m",
}


class Parts:
    """Writes entries as they come; used as a context manager that writes the index at the end.

    Args:
        out: Folder of the page.
        profiles: Of each run, how many profiles it was scored under.
    """

    def __init__(self, out: Path, profiles: list[int]) -> None:
        self.count = 0
        self._folder = out / FOLDER
        self._profiles = profiles
        self._names: dict[str, dict[str, int]] = {name: {} for name in _COLUMNS}
        self._codes = {name: array("H") for name in _COLUMNS}
        self._verdicts: list[list[str]] = [[] for _ in range(sum(profiles))]
        self._sizes: list[int] = []
        self._held: list[str] = []
        self._held_size = 0
        self._labels: list[str] = []

    def __enter__(self) -> Self:
        self._folder.mkdir(parents=True)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is not None:
            return
        self._end_part()
        self._end_labels()
        index = {
            "parts": self._sizes,
            "names": {name: list(known) for name, known in self._names.items()},
            "codes": {name: list(codes) for name, codes in self._codes.items()},
            "verdicts": ["".join(signs) for signs in self._verdicts],
        }
        write_atomic(self._folder / "index.js", f"index({_json(index)});\n")

    def add(self, entry: Entry) -> None:
        """Adds one item with its answers."""
        self.count += 1
        for name in _COLUMNS:
            known = self._names[name]
            self._codes[name].append(known.setdefault(getattr(entry, name), len(known)))
        signs = iter(self._verdicts)
        for answer, profiles in zip(entry.answers, self._profiles, strict=True):
            verdicts = (_ABSENT,) * profiles
            if answer is not None:
                verdicts = tuple(_SIGNS[verdict] for verdict in answer.verdicts)
            for verdict in verdicts:
                next(signs).append(verdict)
        self._labels.append(" ".join(entry.label[: 2 * _LABEL].split())[:_LABEL])
        text = _json(entry.shown)
        self._held.append(text)
        self._held_size += len(text)
        if self._held_size >= _PART:
            self._end_part()
        if len(self._labels) >= LABELS:
            self._end_labels()

    def _end_part(self) -> None:
        if self._held:
            self._write("part", len(self._sizes), f"[{','.join(self._held)}]")
            self._sizes.append(len(self._held))
            self._held, self._held_size = [], 0

    def _end_labels(self) -> None:
        if self._labels:
            self._write("labels", (self.count - 1) // LABELS, _json(self._labels))
            self._labels = []

    def _write(self, kind: str, number: int, content: str) -> None:
        # The folder gets its name when all of it is there, so no file needs to be whole by itself.
        path = self._folder / f"{kind}-{number}.js"
        path.write_text(f'arrived("{kind}",{number},{content});\n', encoding="utf-8")


def _json(content: Any) -> str:
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"))
