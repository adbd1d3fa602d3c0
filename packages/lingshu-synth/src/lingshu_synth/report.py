"""What a run tells of its work: counts, balances, and examples beside their pictures."""

import heapq
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path

from lingshu_core.panels import Bars, Facts, Gallery, Marked, Panel, Picture, Series, Stats
from lingshu_core.records import Box, Dialogue, Instruction, Question, RecordBase
from lingshu_synth.generator import PACKAGE, Rejected, package_version
from lingshu_synth.phrasing import rank

_EXAMPLES = 6
_LONGEST_TEXT = 360
_THUMBNAIL = 256
_FOLDER = "page"
_TABLES = ("topic", "kind", "modality", "letter", "answer", "length", "dataset")


@dataclass(order=True)
class _Example:
    order: float
    record: RecordBase = field(compare=False)
    boxes: tuple[Box, ...] = field(compare=False)


class Report:
    """Counts what comes by and keeps a few examples of each group, evenly drawn.

    Memory does not grow with the number of records.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self.counts: Counter[str] = Counter({"in": 0, "out": 0, "set_aside": 0})
        self._reasons: Counter[str] = Counter()
        self._tables: dict[str, Counter[str]] = {name: Counter() for name in _TABLES}
        self._examples: dict[str, list[_Example]] = defaultdict(list)

    def made(self, record: RecordBase, boxes: tuple[Box, ...]) -> None:
        """Counts a record that was written; the boxes are shown where it serves as an example."""
        self.counts["out"] += 1
        said = {"modality": record.modality, "dataset": record.source.dataset, **record.tags}
        if isinstance(record, Question):
            said["kind"] = record.answer_kind
            if record.answer and record.answer_kind != "open":
                said["letter" if record.options else "answer"] = record.answer
        for table, value in said.items():
            if table in self._tables:
                self._tables[table][value] += 1
        self._keep(record, boxes)

    def set_aside(self, rejected: Rejected) -> None:
        """Counts an item of which nothing was made."""
        self.counts["set_aside"] += 1
        self._reasons[rejected.reason] += 1

    def stats(self, folder: Path, seconds: float) -> Stats:
        """Returns the figures and panels; the pictures of its galleries are put into the folder."""
        counts = dict(self.counts)
        counts |= {f"set_aside_{reason}": count for reason, count in sorted(self._reasons.items())}
        for table in ("topic", "kind", "modality", "letter", "answer"):
            counts |= {f"{table}_{v}": n for v, n in sorted(self._tables[table].items())}
        return Stats(
            title=f"Synthesis: {self._name}",
            summary=f"{self.counts['out']} records from {self.counts['in']}.",
            package=PACKAGE,
            version=package_version(),
            command=f"{PACKAGE} {self._name}",
            seconds=round(seconds, 3),
            counts=counts,
            panels=tuple(self._panels(folder)),
        )

    def _panels(self, folder: Path) -> list[Panel]:
        panels: list[Panel] = [
            Facts(
                facts={
                    "records in": self.counts["in"],
                    "records out": self.counts["out"],
                    "set aside": self.counts["set_aside"],
                },
                wide=True,
            )
        ]
        panels += [
            _bars(f"By {table}", values)
            for table, values in self._tables.items()
            if len(values) > 1
        ]
        if self._reasons:
            panels.append(_bars("Set aside, by reason", self._reasons))
        panels += [self._shown(group, folder) for group in sorted(self._examples)]
        return panels

    def _keep(self, record: RecordBase, boxes: tuple[Box, ...]) -> None:
        kept = self._examples[_group(record)]
        example = _Example(-rank("example", record.id), record, boxes)
        if len(kept) < _EXAMPLES:
            heapq.heappush(kept, example)
        elif example > kept[0]:
            heapq.heapreplace(kept, example)

    def _shown(self, group: str, folder: Path) -> Panel:
        examples = sorted(self._examples[group], reverse=True)
        title = f"Examples: {group}"
        pictures = [picture for one in examples if (picture := _thumbnail(one, folder)) is not None]
        if pictures:
            return Gallery(title=title, pictures=tuple(pictures), wide=True)
        texts = (f"{_told(one.record)}\n\n" for one in examples)
        return Marked(title=title, passages=tuple((text, "plain") for text in texts), wide=True)


def _group(record: RecordBase) -> str:
    if isinstance(record, Question):
        return f"{record.answer_kind} questions"
    return " ".join(part for part in (record.tags.get("length", ""), record.type) if part)


def _bars(title: str, values: Counter[str]) -> Panel:
    names = sorted(values) if title == "By letter" else [name for name, _ in values.most_common()]
    series = Series(name=title, x=tuple(names), y=tuple(values[name] for name in names))
    return Bars(title=title, series=(series,), horizontal=True)


def _thumbnail(example: _Example, folder: Path) -> Picture | None:
    record = example.record
    if not record.images:
        return None
    from lingshu_synth.overlay import draw_boxes, scaled
    from lingshu_synth.studio import read_picture

    name = f"{_FOLDER}/{record.id.rpartition('/')[2]}.png"
    drawn = read_picture(folder / record.images[0].path)
    full = drawn.width
    drawn.thumbnail((_THUMBNAIL, _THUMBNAIL))
    # Framed after scaling: thin lines would not survive it.
    drawn = draw_boxes(drawn, [scaled(box, drawn.width / full) for box in example.boxes])
    (folder / _FOLDER).mkdir(exist_ok=True)
    drawn.save(folder / name)
    return Picture(path=name, caption=_told(record), badge=record.modality)


def _told(record: RecordBase) -> str:
    if isinstance(record, Question):
        options = " ".join(f"{option.letter}. {option.text}" for option in record.options)
        parts = [record.question, options, f"→ {record.answer}"]
        if record.rationale:
            parts.append(f"({record.rationale})")
        text = " ".join(part for part in parts if part)
    elif isinstance(record, Dialogue):
        # What patients wrote is not for pages; what was written for them is.
        text = " ".join(turn.text for turn in record.turns if turn.role == "assistant")
    elif isinstance(record, Instruction) and not record.images:
        text = record.response
    else:
        text = " ".join(record.texts())
    return text if len(text) <= _LONGEST_TEXT else f"{text[: _LONGEST_TEXT - 1]}…"
