"""What models of metrics have measured in a run, so that scoring reads it and loads none."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from lingshu_core.digest import canonical_json
from lingshu_core.errors import DataError, SettingsError
from lingshu_core.files import write_atomic
from medevalkit.cache import Cache
from medevalkit.folder import Stored, parsed
from medevalkit.metric import METRICS, Measured, NothingKept, Pair

CACHE_NAME = "measured.sqlite"
FOLDER = "measured"


class Told(Stored):
    """What a metric was measured with; `measured/METRIC.json`."""

    metric: str
    weights: dict[str, str]
    """Fingerprints by part; the name of a part on the hub."""
    note: str

    def key(self, pair: Pair) -> bytes:
        """Returns the address of a pair's values: a hash of everything that they depend on."""
        asked = [self.metric, self.weights, pair.response, pair.reference]
        return hashlib.sha256(canonical_json(asked)).digest()[:16]

    def write(self, folder: Path) -> None:
        """Writes it into a run's folder."""
        path = folder / FOLDER / f"{self.metric}.json"
        path.parent.mkdir(exist_ok=True)
        write_atomic(path, self.model_dump_json(indent=1) + "\n")


class KeptValues:
    """The values that models gave in a run; used as a context manager."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        paths = sorted((folder / FOLDER).glob("*.json"))
        self.told = {path.stem: parsed(Told, path.read_bytes(), path) for path in paths}
        """What was measured, by metric."""

    def __enter__(self) -> Self:
        self._cache = Cache(self._folder / CACHE_NAME) if self.told else None
        if self._cache:
            self._cache.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._cache:
            self._cache.__exit__(kind, error, trace)

    def names(self) -> list[str]:
        """Returns the metrics that were measured, and those that are made of these alone."""
        if not self.told:
            return []
        made = (
            name.replace("_", "-")
            for name, metric in METRICS.items()
            if metric.features and set(metric.features) <= set(self.told)
        )
        return [*self.told, *made]

    def read(self, metric: str, pairs: Sequence[Pair]) -> Measured:
        """Returns the values of a metric; SettingsError where it has not been measured (yet)."""
        told = self.told.get(metric)
        if told is None:
            return NothingKept().read(metric, pairs)
        found = [self._values(told, pair) for pair in pairs]
        rows = [row for row in found if row is not None]
        if len(rows) < len(found):
            raise SettingsError(
                f"{len(found) - len(rows)} of {len(found)} pairs are not measured yet: "
                f"`medevalkit measure RUN --metric {metric}` goes on"
            )
        return Measured({name: [row[name] for row in rows] for name in rows[0]}, told.note)

    def _values(self, told: Told, pair: Pair) -> dict[str, float] | None:
        text = self._cache.get(told.key(pair)) if self._cache else None
        if text is None:
            return None
        try:
            return {str(name): float(value) for name, value in json.loads(text).items()}
        except (ValueError, TypeError, AttributeError):
            raise DataError("holds values that are broken", path=self._folder) from None
