"""Filling rows with samples, the longest first. Pure."""

import numpy as np
from numpy.typing import NDArray

Rows = tuple[NDArray[np.int64], NDArray[np.int64]]
"""Samples in the order of their rows, and where each row starts, with the end as last entry."""


def pack(lengths: NDArray[np.int32], capacity: int, *, window: int) -> Rows:
    """Packs samples into rows.

    A window of samples is packed at a time, so that what shares a row follows from their shuffled
    order and not from their length alone. The samples of rows that a window leaves unfilled are
    packed again with the next.

    Args:
        lengths: Tokens of every sample in shuffled order, none above `capacity`.
        capacity: Tokens of a row.
        window: Samples that are looked at together.

    Returns:
        Places in `lengths`, row after row, and the starts of the rows.
    """
    slack = capacity // 100
    members: list[NDArray[np.int64]] = []
    sizes: list[NDArray[np.int64]] = []
    waiting = np.empty(0, dtype=np.int64)
    for start in range(0, len(lengths), window):
        end = min(start + window, len(lengths))
        chunk = np.concatenate([waiting, np.arange(start, end)])
        order, held, free = _fill(lengths[chunk], capacity)
        done = (free <= slack) | (end == len(lengths))
        inside = np.repeat(done, held)
        members.append(chunk[order[inside]])
        sizes.append(held[done])
        waiting = chunk[order[~inside]]
    starts = np.cumsum(np.concatenate([[0], *sizes]), dtype=np.int64)
    return np.concatenate([waiting[:0], *members]), starts


def _fill(
    lengths: NDArray[np.int32], capacity: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Fills one row after the other: the longest sample that still fits, as often as it does.

    Returns places in `lengths` row after row, how many each row holds, and the tokens it has left.
    """
    order = np.argsort(-lengths, kind="stable")
    count = np.bincount(lengths, minlength=capacity + 1)
    left = count.tolist()
    # Samples of one length stand together in `order`, the longest first.
    place = (len(lengths) - np.cumsum(count)).tolist()
    # The longest length that is left and not above each: followed, and shortened on the way.
    fits = np.maximum.accumulate(np.where(count > 0, np.arange(capacity + 1), 0)).tolist()
    taken: list[tuple[int, int]] = []
    rows: list[int] = []
    free: list[int] = []
    todo = len(lengths)
    while todo:
        room, first = capacity, len(taken)
        while True:
            size = room
            while fits[size] != size:
                fits[size] = fits[fits[size]]
                size = fits[size]
            if size == 0:
                break
            take = room // size
            if take >= left[size]:
                take = left[size]
                fits[size] = fits[size - 1]
            taken.append((place[size], take))
            place[size] += take
            left[size] -= take
            room -= take * size
            todo -= take
        rows.append(len(taken) - first)
        free.append(room)
    at, takes = np.array(taken, dtype=np.int64).reshape(-1, 2).T
    before = np.cumsum(takes) - takes
    found = order[np.repeat(at - before, takes) + np.arange(len(lengths))]
    bounds = np.cumsum(rows, dtype=np.int64) - rows
    return found, np.add.reduceat(takes, bounds), np.array(free)
