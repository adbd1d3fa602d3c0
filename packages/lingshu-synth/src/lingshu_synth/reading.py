"""The input of a run: records of several manifests, drawn, filtered and turned into items."""

import heapq
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from lingshu_core.errors import DataError
from lingshu_core.manifest import Manifest
from lingshu_core.records import Record
from lingshu_synth.generator import Generator, Item, Rejected
from lingshu_synth.phrasing import rank
from lingshu_synth.views import views


@dataclass(frozen=True)
class Entry:
    """One item and where its files lie; or a record of which none could be made."""

    manifest: Manifest
    item: Item
    fault: Rejected | None = None


class Reading:
    """Reads the same entries in the same order, as often as it is asked."""

    def __init__(self, manifests: Sequence[Manifest], generator: Generator[Any]) -> None:
        self.manifests = tuple(manifests)
        self._generator = generator
        self._settings = generator.settings
        self.passed_over: Counter[str] = Counter()
        """Records that this generator does not work on, by type."""
        self._admits = self._draw()

    def __iter__(self) -> Iterator[Entry]:
        for manifest, record in self._wanted():
            if self._admits(record):
                yield from self._entries(manifest, record)

    def expected(self) -> int:
        """Returns how many records there are at most."""
        return self._settings.limit or sum(len(manifest) for manifest in self.manifests)

    def items(self) -> Iterator[Item]:
        """Yields the items alone, leaving out broken ones."""
        return (entry.item for entry in self if entry.fault is None)

    def _entries(self, manifest: Manifest, record: Record) -> Iterator[Entry]:
        try:
            for item in views(record, manifest, self._settings.regions):
                yield Entry(manifest, item)
        except DataError as error:
            fault = Rejected("unreadable", error.message)
            yield Entry(manifest, Item(record), fault)

    def _wanted(self) -> Iterator[tuple[Manifest, Record]]:
        self.passed_over.clear()
        for manifest in self.manifests:
            for record in manifest:
                if isinstance(record, self._generator.reads) and self._generator.wants(record):
                    yield manifest, record
                else:
                    self.passed_over[record.type] += 1

    def _draw(self) -> Callable[[Record], bool]:
        """Returns which records take part, where the settings limit their number.

        The drawing goes by a hash of seed and id: a record more in the input displaces at most
        one other.
        """
        seed, limit, each = self._settings.seed, self._settings.limit, self._settings.per_modality
        bounds: dict[str, float] = {}
        if each is not None:
            bounds = _bounds(((r.modality, rank(seed, r.id)) for _, r in self._wanted()), each)

        def even(record: Record) -> bool:
            return each is None or rank(seed, record.id) <= bounds[record.modality]

        if limit is None:
            return even
        drawn = (("", rank(seed, r.id)) for _, r in self._wanted() if even(r))
        bound = _bounds(drawn, limit).get("", 0.0)
        return lambda record: even(record) and rank(seed, record.id) <= bound


def _bounds(ranks: Iterable[tuple[str, float]], most: int) -> dict[str, float]:
    """Returns for each group the rank up to which exactly `most` (or all) of it take part."""
    heaps: dict[str, list[float]] = defaultdict(list)
    for group, value in ranks:
        heap = heaps[group]
        if len(heap) < most:
            heapq.heappush(heap, -value)
        elif -value > heap[0]:
            heapq.heapreplace(heap, -value)
    return {group: -heap[0] for group, heap in heaps.items()}
