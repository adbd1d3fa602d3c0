"""What is in a manifest, counted: by type, modality and dataset."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from lingshu_core.panels import Bars, Panel, Series, Table
from lingshu_core.records import RecordBase


@dataclass
class Tally:
    """Counts of records."""

    records: int = 0
    types: Counter[str] = field(default_factory=Counter)
    modalities: Counter[str] = field(default_factory=Counter)
    datasets: Counter[str] = field(default_factory=Counter)

    def add(self, record: RecordBase) -> None:
        """Counts one record."""
        self.records += 1
        self.types[record.type] += 1
        self.modalities[record.modality.value] += 1
        self.datasets[record.source.dataset] += 1


def tally_panels(tallies: Mapping[str, Tally]) -> tuple[Panel, ...]:
    """Returns a table and bars that set several manifests beside each other, by their names."""
    kinds = sorted(set().union(*(tally.types for tally in tallies.values())))
    table = Table(
        title="Records",
        columns=("manifest", *kinds, "all"),
        rows=tuple(
            (name, *(tally.types[kind] for kind in kinds), tally.records)
            for name, tally in tallies.items()
        ),
    )
    modalities = sorted(set().union(*(tally.modalities for tally in tallies.values())))
    bars = Bars(
        title="Modalities",
        y="records",
        series=tuple(
            Series(name=name, x=tuple(modalities), y=tuple(tally.modalities[m] for m in modalities))
            for name, tally in tallies.items()
        ),
    )
    return (table, bars)
