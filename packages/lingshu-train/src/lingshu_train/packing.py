"""Filling rows with samples: best fit, longest first. Pure."""

from itertools import pairwise

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
    rows: list[NDArray[np.int64]] = []
    waiting = np.empty(0, dtype=np.int64)
    for start in range(0, len(lengths), window):
        end = min(start + window, len(lengths))
        chunk = np.concatenate([waiting, np.arange(start, end)])
        members, free = _best_fit(lengths[chunk], capacity)
        done = [end == len(lengths) or rest <= slack for rest in free]
        rows += [chunk[row] for row, is_done in zip(members, done, strict=True) if is_done]
        again = [chunk[row] for row, is_done in zip(members, done, strict=True) if not is_done]
        waiting = np.concatenate([waiting[:0], *again])
    sizes = [len(row) for row in rows]
    starts = np.concatenate([[0], np.cumsum(sizes, dtype=np.int64)])
    return np.concatenate([waiting[:0], *rows]), starts


def _best_fit(lengths: NDArray[np.int32], capacity: int) -> tuple[list[list[int]], list[int]]:
    """Returns the members of each row and how many tokens it has left.

    A sample goes to the fullest row that still has room for it, found as the lowest set bit of a
    number whose bits are the room that is left in rows; samples of one length go together.
    """
    order = np.argsort(-lengths, kind="stable")
    ordered = lengths[order]
    items = order.tolist()
    bounds = [0, *(np.flatnonzero(np.diff(ordered)) + 1).tolist(), len(items)]
    members: list[list[int]] = []
    free: list[int] = []
    with_room: list[list[int]] = [[] for _ in range(capacity + 1)]
    rooms = 0
    for at, end in pairwise(bounds):
        size = int(ordered[at]) if at < end else 1
        while at < end:
            fitting = rooms >> size
            if fitting:
                room = size + (fitting & -fitting).bit_length() - 1
                row = with_room[room].pop()
                if not with_room[room]:
                    rooms ^= 1 << room
            else:
                room, row = capacity, len(members)
                members.append([])
                free.append(capacity)
            take = min(end - at, room // size)
            members[row] += items[at : at + take]
            at += take
            room -= take * size
            free[row] = room
            if room and not with_room[room]:
                rooms |= 1 << room
            if room:
                with_room[room].append(row)
    return members, free
