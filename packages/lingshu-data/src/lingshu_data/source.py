"""The interface of a dataset: its card, how its files lie, how a row becomes records.

One file in `sources/` defines one `SOURCE`. Everything else follows from it: the listing, the
check of the layout, `ingest`, and the contract test, which walks the `example`.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import Field

from lingshu_core.recipe import Recipe
from lingshu_core.records import RecordBase
from lingshu_core.registry import Registry
from lingshu_data.intake import Intake
from lingshu_data.reader import Reader, Row

Access = Literal["open", "agreement", "request"]
"""`open` to download, behind an `agreement` to sign (PhysioNet, Kaggle), or on `request`."""

PART_OF = {
    "captions": "Table 1, captioning",
    "instruction": "Table 1, instruction (ROCOv2 and Kvasir-VQA: Table 5)",
    "text": "Table 2",
    "imaging": "Table 3 and section 2.2.1",
    "general": "section 2.1.3",
    "rl": "Table 5, reinforcement learning",
    "more": "beyond the paper",
}
"""What a dataset is in the paper's collection."""


class SourceSettings(Recipe):
    """What can be set for every dataset; a source may add its own."""

    limit: int | None = Field(default=None, gt=0)
    """Read only so many rows, from the first; None for all."""
    pictures: bool = True
    """Whether pictures are read; without them the texts alone become records."""


@dataclass(frozen=True, kw_only=True)
class Card:
    """What a dataset is and where it comes from."""

    title: str
    part: tuple[str, ...]
    """Keys of `PART_OF`."""
    what: str
    """One sentence on the content."""
    size: str
    """How much there is, as its publisher says."""
    licence: str
    """An SPDX identifier where there is one, else the publisher's words in short."""
    access: Access
    home: str
    """Address of the publisher's page."""
    citation: str
    layout: str
    """How the files lie, and where that was seen; `from description` where it could not be."""
    rank: int = 50
    """Reliability, 0 most: written by people and checked 0 to 29, collected from publications or
    forums 30 to 59, written by a model 60 to 89."""
    hub: str | None = None
    """Its repository on the Hugging Face hub, where there is one."""
    hub_revision: str = "main"


@dataclass(frozen=True, kw_only=True)
class Source:
    """A dataset."""

    card: Card
    reader: Reader
    records: Callable[[Row, Intake], Iterable[RecordBase]]
    """Turns one row into records; a fault in the row is raised as DataError."""
    example: Mapping[str, Any]
    """One raw row, as the reader gives it."""
    settings: type[SourceSettings] = SourceSettings
    domain: Literal["medical", "general"] = "medical"
    language: str = "en"
    expects: tuple[str, ...] = field(default=())
    """Further files that have to be there, as patterns below the root."""


SOURCES = Registry("lingshu_data.sources", "lingshu_data.sources", "SOURCE", Source)
