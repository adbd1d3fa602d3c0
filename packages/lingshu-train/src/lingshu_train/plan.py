"""Which samples each optimizer step takes, fixed before the first one. Pure.

A plan knows nothing of devices: the samples of a step are dealt to ranks when the step comes
(`dealing.py`), so that a run can go on with another number of them.
"""

import hashlib
import json
import os
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Self
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from lingshu_core.digest import canonical_json
from lingshu_core.errors import DataError
from lingshu_train.packing import pack
from lingshu_train.settings import PackingMode

FORMAT = "lingshu-plan/1"


@dataclass(frozen=True)
class Plan:
    """The order of a stage."""

    mode: PackingMode
    documents: NDArray[np.int32]
    """Numbers of samples, epoch after epoch."""
    units: NDArray[np.int64]
    """Where each unit starts in `documents`, with the end as last entry: a unit is a row with
    full packing, and a sample otherwise."""
    steps: NDArray[np.int64]
    """Where each step starts in `units`, with the end as last entry. No step crosses the border
    of an epoch, so the last one of an epoch may be smaller."""
    sources: dict[str, object]
    """What the plan was made from: digests of manifest and codec, the settings that decide it."""

    def __len__(self) -> int:
        """Returns the number of optimizer steps."""
        return len(self.steps) - 1

    def step(self, number: int) -> list[NDArray[np.int32]]:
        """Returns the units of a step, each the samples that share a row."""
        first, last = self.steps[number], self.steps[number + 1]
        bounds = self.units[first : last + 1]
        return [self.documents[a:b] for a, b in pairwise(bounds)]

    def samples(self, steps: int) -> int:
        """Returns how many samples the first `steps` steps take."""
        return int(self.units[self.steps[steps]])

    def digest(self) -> str:
        """Returns the identity of the plan: of its sources and of every number in it."""
        sha = hashlib.sha256(canonical_json([FORMAT, self.mode, self.sources]))
        for array in (self.documents, self.units, self.steps):
            sha.update(np.ascontiguousarray(array, dtype="<i8").tobytes())
        return sha.hexdigest()

    def save(self, path: Path) -> None:
        """Writes the plan file so that it is whole or not there."""
        path.parent.mkdir(parents=True, exist_ok=True)
        side = path.with_name(f".{path.name}.{os.getpid()}.npz")
        words = {"format": FORMAT, "mode": self.mode, "sources": self.sources}
        words["digest"] = self.digest()
        text = np.frombuffer(json.dumps(words).encode(), dtype=np.uint8)
        np.savez(side, words=text, documents=self.documents, units=self.units, steps=self.steps)
        side.replace(path)

    @classmethod
    def load(cls, path: Path) -> Self:
        """Reads a plan file; DataError where it is damaged."""
        try:
            with path.open("rb") as raw, np.load(raw, allow_pickle=False) as file:
                words = json.loads(file["words"].tobytes())
                plan = cls(
                    words["mode"], file["documents"], file["units"], file["steps"], words["sources"]
                )
        except (OSError, ValueError, KeyError, EOFError, BadZipFile) as error:
            raise DataError(f"is no plan that can be read ({error})", path=path) from None
        if words["digest"] != plan.digest():
            raise DataError("was changed: its digest is not the one recorded", path=path)
        return plan


def make_plan(
    lengths: NDArray[np.int32],
    chosen: NDArray[np.int64],
    *,
    layout: "Layout",
    sources: dict[str, object],
) -> Plan:
    """Fixes the order of a stage.

    Args:
        lengths: Tokens of every sample of the mixture.
        chosen: Numbers of the samples that are learned from.
        layout: How they are put together.
        sources: What goes into the plan's digest beside the numbers.

    Raises:
        DataError: No sample is left.
    """
    if not len(chosen):
        raise DataError("no sample of the mixture is left to learn from")
    orders, units, steps = [], [np.zeros(1, np.int64)], [np.zeros(1, np.int64)]
    taken, made = 0, 0
    for epoch in range(layout.epochs):
        order, starts = _epoch(lengths, chosen, layout, epoch)
        count = len(starts) - 1
        steps.append(made + np.append(np.arange(layout.size, count, layout.size), count))
        units.append(taken + starts[1:])
        orders.append(order)
        taken, made = taken + len(order), made + count
    return Plan(
        mode=layout.mode,
        documents=np.concatenate(orders).astype(np.int32),
        units=np.concatenate(units),
        steps=np.concatenate(steps),
        sources=sources,
    )


@dataclass(frozen=True)
class Layout:
    """How samples are put together."""

    mode: PackingMode
    size: int
    """Units of a step."""
    epochs: int
    seed: int
    capacity: int
    """Tokens of a row."""
    window: int
    """Samples that full packing looks at together."""


def _epoch(
    lengths: NDArray[np.int32], chosen: NDArray[np.int64], layout: Layout, epoch: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Returns the samples of an epoch in order, and where its units start."""
    rng = np.random.default_rng([layout.seed, epoch])
    order = rng.permutation(chosen)
    if layout.mode != "full":
        return order, np.arange(len(order) + 1)
    members, starts = pack(lengths[order], layout.capacity, window=layout.window)
    # Packing leaves the rows of long samples first.
    rows = rng.permutation(len(starts) - 1)
    sizes = np.diff(starts)[rows]
    mixed = np.concatenate([members[starts[row] : starts[row + 1]] for row in rows])
    return order[mixed], np.concatenate([[0], np.cumsum(sizes)])
