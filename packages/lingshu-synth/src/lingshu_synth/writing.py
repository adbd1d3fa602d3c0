"""The output of a run: records, what was set aside, and what the page tells of both."""

import shutil
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from lingshu_core.errors import DataError
from lingshu_core.manifest import Manifest, Parent, Producer
from lingshu_core.manifest_writer import ManifestWriter
from lingshu_core.page import publish
from lingshu_core.records import Image
from lingshu_synth.call import Shot
from lingshu_synth.generator import Draft, Drawing, Generator, Made, Outcome, Rejected
from lingshu_synth.reading import Entry
from lingshu_synth.report import Report

SET_ASIDE = "set-aside"
"""Folder below the output: the records of which nothing was made, each with its reason."""


class Writing:
    """Turns outcomes into records in the order of the input; used as a context manager.

    Args:
        out: The folder that shall appear.
        producer: Who writes, with which settings.
        parents: What the input is.
        generator: What made the outcomes.
    """

    def __init__(
        self, out: Path, producer: Producer, parents: Sequence[Parent], generator: Generator[Any]
    ) -> None:
        self._generator = generator
        self._writer = ManifestWriter(out, producer=producer, parents=parents)
        self._aside = ManifestWriter(
            self._writer.folder / SET_ASIDE, producer=producer, parents=parents
        )
        self._stack = ExitStack()
        self.report = Report(generator.name)

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            stack.enter_context(self._writer)
            # What a killed run left there was made of the same, but not all of it.
            shutil.rmtree(self._aside.out, ignore_errors=True)
            stack.enter_context(self._aside)
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
        """Writes what was made of one item, or sets the item aside."""
        self.report.counts["in"] += 1
        if isinstance(outcome, Made):
            drafts = self._generator.finish(entry.item, outcome.value)
            outcome = self._write(entry, drafts)
        if isinstance(outcome, Rejected):
            self.report.set_aside(outcome)
            self._set_aside(entry, outcome)

    def publish(self, passed_over: dict[str, int], seconds: float) -> None:
        """Puts settings, figures and page into the folder, before it gets its name."""
        folder = self._writer.folder
        self._generator.settings.write(folder / "settings.json")
        self.report.counts.update({f"passed_over_{k}": n for k, n in passed_over.items()})
        publish(folder, self.report.stats(folder, seconds))

    def _write(self, entry: Entry, drafts: tuple[Draft, ...]) -> Outcome[Any]:
        if not drafts:
            return Rejected("nothing_to_say", "the record gives no text of this kind")
        try:
            drawn = {drawing for draft in drafts for drawing in draft.drawings}
            images = {drawing: self._image(drawing, entry.manifest) for drawing in drawn}
            for ref in {
                ref for draft in drafts if not draft.drawings for ref in draft.record.files()
            }:
                entry.manifest.file(ref)
        except DataError as error:
            return Rejected("unreadable", error.message)
        for draft in drafts:
            record = draft.record
            if draft.drawings:
                record = record.replace(images=tuple(images[d] for d in draft.drawings))
            self._writer.write(record, source=None if draft.drawings else entry.manifest)
            self.report.made(record, draft.boxes)
        return Made(drafts)

    def _image(self, drawing: Drawing, manifest: Manifest) -> Image:
        """Draws a picture into the output."""
        from lingshu_synth.studio import drawn, png

        picture = drawn(drawing, manifest)
        ref = self._writer.add_file(png(picture), suffix=".png")
        place = drawing.place() if isinstance(drawing, Shot) else {}
        width, height = picture.size
        return Image(path=ref.path, sha256=ref.sha256, width=width, height=height, **place)

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
