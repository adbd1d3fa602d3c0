"""The interface of the benchmarks: one file under `benchmarks/` for each, with card and example."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from lingshu_core.records import Question, RecordBase
from lingshu_core.registry import Registry
from medevalkit.maker import Maker

Raw = Mapping[str, Any]
"""One row as the publisher has it; pictures are paths below the folder, or bytes."""


@dataclass(frozen=True)
class Card:
    """What has to be known about a benchmark."""

    title: str
    kind: Literal["multimodal", "text", "report"]
    source: str
    """A dataset on the Hugging Face hub (`OWNER/NAME`), or the page where it is handed out."""
    revision: str | None
    """The commit that `prepare` fetches; None where nobody could be found who has pinned one, or
    where it is not on the hub: `prepare` then writes down what it took."""
    split: str
    licence: str
    citation: str
    items: int | None
    """How many items the whole benchmark has here; None where that depends on what its owners hand
    out."""
    pictures: int | None = None
    """How many different pictures they show."""
    paper_items: int | None = None
    """N in the paper's Table 25, where the benchmark is among its 16."""
    paper_pictures: int | None = None
    odd: tuple[str, ...] = ()
    """What is known to be odd, and why a count is not the paper's."""


@dataclass(frozen=True)
class Official:
    """How the official kit puts and reads a benchmark, where that is not its usual way."""

    label: str = "{letter}. {text}"
    """How it writes an option."""
    parser: Literal["choice", "mmmu"] = "choice"
    tags: bool = True
    """Whether it cuts out `<answer>` before it looks for a letter."""
    strip: bool = True
    """Whether it drops white space around open answers."""
    closed: Literal["yesno", "slake"] = "yesno"
    question: Callable[[Question], str] | None = None
    """The question in its words, where they are not the record's."""
    report: str = "{prompt}"
    """What it wraps around the prompt for a report."""


@dataclass(frozen=True)
class Benchmark:
    """A set of items with a known way to read them."""

    card: Card
    rows: Callable[[Path], Iterator[Raw]]
    """Reads the publisher's folder; DataError where it is not laid out as expected."""
    record: Callable[[Raw, Maker], RecordBase | None]
    """Makes an item of a row; None where the row belongs to another benchmark of the same files,
    DataError where it is broken."""
    example: Raw
    """A row, for people to see and for the tests."""
    files: tuple[str, ...] = ()
    """What `prepare` fetches from the hub, as patterns; empty where it is not on the hub."""
    breakdown: tuple[str, ...] = ()
    """Tags that its tables are divided by, besides the modality."""
    official: Official = field(default_factory=Official)


BENCHMARKS = Registry("medevalkit.benchmarks", "medevalkit.tasks", "BENCHMARK", Benchmark)
