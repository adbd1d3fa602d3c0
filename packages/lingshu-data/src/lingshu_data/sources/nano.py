"""nano: a small collection that needs no download, for the demonstration and the tests."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import Field

from lingshu_core.records import Box, Caption, Image, Imaging, RecordBase, Report
from lingshu_data.hashing import distance, phash
from lingshu_data.intake import Intake
from lingshu_data.nano import words
from lingshu_data.nano.phantoms import PHANTOMS
from lingshu_data.nano.plan import plan
from lingshu_data.nano.views import Drawn, View, near_copy, render
from lingshu_data.nano.wheels import WHEELS
from lingshu_data.pictures import Stored, encode
from lingshu_data.reader import Reader, Row
from lingshu_data.source import Card, Source, SourceSettings

_REPORTS, _CAPTIONS = 0.5, 0.2
"""Shares of the views that have a report, and a caption."""
_LEVEL = 3
"""How hard pictures are compressed: most of them is noise."""
_NEAR = 2
"""Greatest distance of the perceptual hashes of a near leak and its original."""


class NanoSettings(SourceSettings):
    """What can be set for the small collection."""

    views: int = Field(default=950, ge=44)
    """About how many pictures, a seventh of them for testing."""
    seed: int = Field(default=0, ge=0)
    """Another seed: other phantoms, other cuts of the same real pictures."""


class Planned(Reader):
    """The plan of the collection, one view a row."""

    @property
    def needs(self) -> tuple[str, ...]:
        """Nothing: the pictures lie in installed wheels, or are drawn."""
        return ()

    @property
    def batch(self) -> int:
        """Some views a shard, so that few views still keep two workers busy."""
        return 64

    def entries(self, root: Path, settings: NanoSettings) -> Iterator[Row]:
        """Yields the views."""
        for view in plan(settings.views, settings.seed):
            yield Row(view.__dict__, f"view {view.number}")


def records(row: Row, intake: Intake) -> Iterator[RecordBase]:
    """Yields what is known of a view: imaging, and for some a report or a caption."""
    settings: NanoSettings = intake.settings
    view = View(**row.values)
    random = np.random.default_rng((settings.seed, view.number, 1))
    drawn, stored = _picture(view, settings)
    image = intake.picture(stored)
    common: dict[str, Any] = {
        "split": view.split,
        "group": intake.group(view.group if view.planted is None else f"planted {view.number}"),
        "images": (image,),
        "modality": view.modality,
        "tags": {"planted": view.planted} if view.planted else {},
    }
    key = str(view.number)
    if view.planted == "short caption":
        text = words.short_caption(view, random)
        yield intake.make(Caption, key, text=text, **common)
        return
    yield intake.make(Imaging, key, **common, **_facts(view, drawn, image))
    chance = random.random()
    if view.planted is None and chance < _REPORTS:
        texts = {"findings": words.findings(view, random)}
        texts["impression"] = words.impression(view, random)
        yield intake.make(Report, key, **common, **texts)
    elif view.planted is None and chance < _REPORTS + _CAPTIONS:
        yield intake.make(Caption, key, **common, text=words.findings(view, random))


def _facts(view: View, drawn: Drawn, image: Image) -> dict[str, Any]:
    finding = PHANTOMS[view.modality].finding
    metadata: dict[str, str | int] = {
        "origin": f"wheel {WHEELS[view.wheel].package}" if view.wheel is not None else "phantom"
    }
    boxes: tuple[Box, ...] = ()
    if view.place is not None and drawn.box is not None:
        x, y, width, height = drawn.box
        boxes = (Box(x=x, y=y, width=width, height=height, label=finding),)
        column, row = view.place
        metadata |= {
            "finding_drawn": finding,
            "position": words.place_words(view.place),
            "side": ("left", "right")[column],
            "height": ("upper", "lower")[row],
        }
    if view.planted is not None:
        metadata["planted"] = view.planted
    presence = "absent" if view.place is None else "present"
    return {
        "organ": view.organ,
        "labels": {finding: presence},
        "boxes": boxes,
        "metadata": metadata,
    }


def _picture(view: View, settings: NanoSettings) -> tuple[Drawn, Stored]:
    """Draws a view, or the copy of another that it was planted as."""
    if view.planted in {None, "too small"}:
        drawn = render(view, settings.seed)
        return drawn, encode(drawn.picture, _LEVEL)
    assert view.of is not None
    origin = render(_plan(settings)[view.of], settings.seed)
    if view.planted in {"exact copy", "leak", "short caption"}:
        return origin, encode(origin.picture, _LEVEL)
    if view.planted == "re-encoded copy":
        # The same pixels in other bytes: a hash of the file misses it, that of the picture not.
        return origin, encode(origin.picture, 1)
    near = near_copy(origin.picture)
    if distance(phash(near), phash(origin.picture)) > _NEAR:
        return origin, encode(origin.picture, 1)
    scale = near.width / origin.picture.width
    box = None
    if origin.box is not None:
        x, y, width, height = (round(value * scale) for value in origin.box)
        box = (x, y, width, height)
    return Drawn(near, box), encode(near, _LEVEL)


@cache
def _plan(settings: NanoSettings) -> list[View]:
    return plan(settings.views, settings.seed)


SOURCE = Source(
    card=Card(
        title="nano",
        part=("more",),
        what="Views of real pictures inside installed wheels, and of phantoms drawn from a seed, "
        "in eight modalities; copies, leaks and faults are planted in it and recorded.",
        size="950 views by default",
        licence="Apache-2.0; MIT and BSD-3-Clause for the pictures in wheels",
        access="open",
        home="https://pypi.org/project/lingshu-data/",
        citation="The Lingshu developers.",
        layout="drawn by this package; nothing is read from a folder",
        rank=20,
    ),
    reader=Planned(),
    records=records,
    example=plan(44, 0)[0].__dict__,
    settings=NanoSettings,
)
