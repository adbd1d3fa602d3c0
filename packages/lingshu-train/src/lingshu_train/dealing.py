"""Dealing the samples of a step to ranks so that none waits for another. Pure.

With ZeRO-3 all ranks meet in every row, with ZeRO-2 once a step: rows that run at the same time
cost alike, and so do the sums of all ranks.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from lingshu_train.settings import PackingMode

Row = tuple[int, ...]
"""Numbers of the samples that share a row; an empty row keeps a rank in step with the others."""


def deal(
    units: Sequence[NDArray[np.int32]],
    *,
    mode: PackingMode,
    lengths: NDArray[np.int32],
    costs: NDArray[np.float64],
    capacity: int,
    ranks: int,
) -> list[list[Row]]:
    """Returns the rows of every rank, the same number for each.

    Args:
        units: The samples of the step, as the plan has them.
        mode: With `step`, the samples are put into as few rows as hold them.
        lengths: Tokens of every sample of the mixture.
        costs: What each takes in time, in any unit.
        capacity: Tokens of a row.
        ranks: Among how many the step is dealt out.
    """
    if mode == "step":
        rows = _rows(np.concatenate(units), lengths, costs, capacity, ranks)
    else:
        rows = [tuple(int(sample) for sample in unit) for unit in units]
    if ranks == 1:
        return [rows]
    return _dealt(rows, [float(costs[list(row)].sum()) for row in rows], ranks)


def _dealt(rows: Sequence[Row], costs: Sequence[float], ranks: int) -> list[list[Row]]:
    order = sorted(range(len(rows)), key=lambda row: (-costs[row], rows[row]))
    hands: list[list[Row]] = [[] for _ in range(ranks)]
    totals = [0.0] * ranks
    for start in range(0, len(order), ranks):
        # These run side by side; the dearest goes to whoever has had least so far.
        side_by_side = order[start : start + ranks]
        free = sorted(range(ranks), key=lambda rank: (totals[rank], rank))
        for rank, row in zip(free, side_by_side, strict=False):
            hands[rank].append(rows[row])
            totals[rank] += costs[row]
    most = max(len(hand) for hand in hands)
    return [hand + [()] * (most - len(hand)) for hand in hands]


def _rows(
    samples: NDArray[np.int32],
    lengths: NDArray[np.int32],
    costs: NDArray[np.float64],
    capacity: int,
    ranks: int,
) -> list[Row]:
    """Puts samples into rows of like cost, as few a rank as hold them."""
    dearest = sorted(samples.tolist(), key=lambda sample: (-costs[sample], sample))
    each = -(-int(lengths[samples].sum()) // (capacity * ranks))
    while True:
        rows = _spread(dearest, lengths, costs, capacity, each * ranks)
        if rows is not None:
            return rows
        each += 1


def _spread(
    samples: Sequence[int],
    lengths: NDArray[np.int32],
    costs: NDArray[np.float64],
    capacity: int,
    count: int,
) -> list[Row] | None:
    """Gives each sample to the cheapest row with room; None where one finds none."""
    rows: list[list[int]] = [[] for _ in range(count)]
    room, spent = [capacity] * count, [0.0] * count
    for sample in samples:
        size = int(lengths[sample])
        fitting = [row for row in range(count) if room[row] >= size]
        if not fitting:
            return None
        row = min(fitting, key=lambda row: spent[row])
        rows[row].append(sample)
        room[row] -= size
        spent[row] += float(costs[sample])
    return [tuple(row) for row in rows if row]
