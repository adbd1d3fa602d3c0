"""The output of a run: records, what was set aside, and what the page tells of both."""

import shutil
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from lingshu_core.errors import DataError
from lingshu_core.manifest import Parent, Producer
from lingshu_core.manifest_writer import ManifestWriter
from lingshu_core.page import publish
from lingshu_core.records import Image
from lingshu_synth.call import Shot
from lingshu_synth.drawing import Drawers, Drawn
from lingshu_synth.generator import Draft, Drawing, Generator, Outcome, Rejected
from lingshu_synth.reading import Entry
from lingshu_synth.report import Report

SET_ASIDE = "set-aside"
"""Folder below the output: the records of which nothing was made, each with its reason."""


@dataclass(frozen=True)
class _Pending:
    """An item whose pictures are being drawn."""

    entry: Entry
    drafts: tuple[Draft, ...] = ()
    drawn: "dict[Drawing, Future[Drawn]]" = field(default_factory=dict)
    why: Rejected | None = None
    """Why it is set aside, where that is known already."""


class Writing:
    """Turns outcomes into records in the order of the input; used as a context manager.

    Args:
        out: The folder that shall appear.
        producer: Who writes, with which settings.
        parents: What the input is.
        generator: What made the outcomes.
        workers: Processes that draw pictures.
    """

    def __init__(
        self,
        out: Path,
        producer: Producer,
        parents: Sequence[Parent],
        generator: Generator[Any],
        workers: int = 1,
    ) -> None:
        self._generator = generator
        self._writer = ManifestWriter(out, producer=producer, parents=parents)
        self._aside = ManifestWriter(
            self._writer.folder / SET_ASIDE, producer=producer, parents=parents
        )
        self._drawers = Drawers(workers)
        self._waiting: deque[_Pending] = deque()
        self._stack = ExitStack()
        self.report = Report(generator.name)

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            stack.enter_context(self._writer)
            # What a killed run left there was made of the same, but not all of it.
            shutil.rmtree(self._aside.out, ignore_errors=True)
            stack.enter_context(self._aside)
            stack.enter_context(self._drawers)
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.__exit__(kind, error, trace)

    def add(self, entry: Entry, outcome: Outcome[Any]) -> None:
        """Writes what was made of one item, or sets the item aside; in the order of the calls."""
        self.report.counts["in"] += 1
        self._waiting.append(self._begin(entry, outcome))
        while len(self._waiting) > self._drawers.ahead:
            self._end(self._waiting.popleft())

    def publish(self, passed_over: dict[str, int], seconds: float) -> None:
        """Ends the writing: puts settings, figures and page into the folder, which gets its name
        when the block ends."""
        while self._waiting:
            self._end(self._waiting.popleft())
        folder = self._writer.folder
        self._generator.settings.write(folder / "settings.json")
        self.report.counts.update({f"passed_over_{k}": n for k, n in passed_over.items()})
        publish(folder, self.report.stats(folder, seconds))

    def _begin(self, entry: Entry, outcome: Outcome[Any]) -> "_Pending":
        """Settles what is to be written, and begins to draw what it needs."""
        if isinstance(outcome, Rejected):
            return _Pending(entry, why=outcome)
        try:
            # Before letters and answers are settled: what is set aside shall not take part.
            sources = {ref.path: entry.manifest.file(ref) for ref in entry.item.record.files()}
        except DataError as error:
            return _Pending(entry, why=Rejected("unreadable", error.message))
        drafts = self._generator.finish(entry.item, outcome.value)
        if not drafts:
            why = Rejected("nothing_to_say", "the record gives no text of this kind")
            return _Pending(entry, why=why)
        wanted = dict.fromkeys(drawing for draft in drafts for drawing in draft.drawings)
        drawn = {
            drawing: self._drawers.draw(
                drawing, sources[drawing.file.path] if isinstance(drawing, Shot) else None
            )
            for drawing in wanted
        }
        return _Pending(entry, drafts, drawn)

    def _end(self, pending: "_Pending") -> None:
        """Writes an item whose pictures are drawn."""
        why = pending.why
        images: dict[Drawing, Image] = {}
        try:
            for drawing, drawn in pending.drawn.items():
                images[drawing] = self._image(drawing, drawn.result())
        except DataError as error:
            why = Rejected("unreadable", error.message)
        if why is not None:
            self.report.set_aside(why)
            self._set_aside(pending.entry, why)
            return
        for draft in pending.drafts:
            record = draft.record
            if draft.drawings:
                record = record.replace(images=tuple(images[d] for d in draft.drawings))
            self._writer.write(record, source=None if draft.drawings else pending.entry.manifest)
            self.report.made(record, draft.boxes)

    def _image(self, drawing: Drawing, drawn: Drawn) -> Image:
        """Puts a picture into the output."""
        ref = self._writer.add_file(drawn.data, suffix=".png")
        place = drawing.place() if isinstance(drawing, Shot) else {}
        return Image(
            path=ref.path, sha256=ref.sha256, width=drawn.width, height=drawn.height, **place
        )

    def _set_aside(self, entry: Entry, why: Rejected) -> None:
        record = entry.item.record
        tags = {**record.tags, "reason": why.reason}
        if why.detail:
            tags["detail"] = why.detail
        kept = record.replace(id=entry.item.id, tags=tags)
        try:
            self._aside.write(kept, source=entry.manifest)
        except DataError:
            # Its files are what is wrong with it; the record itself is kept all the same.
            self._aside.write(kept)
