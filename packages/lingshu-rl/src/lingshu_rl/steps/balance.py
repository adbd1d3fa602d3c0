"""Chooses a set balanced over modality and format, yes/no thinned out (paper, section 3.1.4)."""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import ClassVar

from pydantic import Field, model_validator

from lingshu_core.golds import YesNoGold
from lingshu_core.records import Question
from lingshu_rl.step import Desk, Item, Step

Cell = tuple[str, str, str]
"""Modality, format, and for yes/no the answer, so that neither answer is the likelier guess."""


class Balance(Step):
    """Gives every modality and format the same room; what one cannot use goes to the others."""

    rereads: ClassVar[bool] = True

    size: int | None = Field(default=None, ge=1)
    """How many questions; None: as many as the greatest imbalance allows."""
    shares: dict[str, float] = Field(default={"yes_no": 0.05})
    """Formats that get this share of the set and no more."""
    ratio: float = Field(default=4.0, ge=1)
    """Without a size: how many times the smallest cell another may have."""
    least: int = Field(default=8, ge=1)
    """Without a size: cells below this do not decide for the others."""
    multiple: int = Field(default=1, ge=1)
    """The size is rounded down to a multiple, so that whole rollouts come out even."""

    @model_validator(mode="after")
    def _shares_leave_room(self) -> "Balance":
        if min(self.shares.values(), default=0) < 0 or sum(self.shares.values()) >= 1:
            raise ValueError("the shares have to be positive and to leave room for other formats")
        return self

    def run(self, items: Iterable[Item], desk: Desk) -> Iterator[Item]:
        """Yields the chosen."""
        cells: dict[Cell, list[tuple[bytes, str]]] = defaultdict(list)
        for item in items:
            question = item.question
            cells[cell(question)].append((_place(question.id, desk.seed), question.id))
        room = self.room({name: len(members) for name, members in cells.items()})
        chosen: set[str] = set()
        for name in sorted(cells):
            chosen |= {member for _, member in sorted(cells[name])[: room[name]]}
        for item in items:
            if item.question.id in chosen:
                yield item
            else:
                desk.drop(item, f"beyond the room of {cell(item.question)[1]} in its modality")

    def room(self, sizes: Mapping[Cell, int]) -> dict[Cell, int]:
        """Returns how many questions each cell may have."""
        free = {name: n for name, n in sizes.items() if name[1] not in self.shares}
        rest = 1 - sum(self.shares.values())
        if not free:
            return dict(sizes)
        wanted = self._wanted(free, rest)
        room: dict[Cell, int] = {}
        for kind, share in self.shares.items():
            members = {name: n for name, n in sizes.items() if name[1] == kind}
            room |= share_out(members, int(wanted * share))
        return room | share_out(free, wanted - sum(room.values()))

    def _wanted(self, free: Mapping[Cell, int], rest: float) -> int:
        most = int(sum(free.values()) / rest)
        if self.size is None:
            smallest = min((n for n in free.values() if n >= self.least), default=1)
            cap = int(smallest * self.ratio)
            wanted = int(sum(min(n, cap) for n in free.values()) / rest)
        else:
            wanted = self.size
        return min(wanted, most) // self.multiple * self.multiple


def cell(question: Question) -> Cell:
    """Returns the cell of a question."""
    gold = question.gold
    kind = gold.kind if gold else question.answer_kind
    return question.modality.value, kind, gold.value if isinstance(gold, YesNoGold) else ""


def share_out(sizes: Mapping[Cell, int], wanted: int) -> dict[Cell, int]:
    """Divides `wanted` places as evenly as the sizes allow; what is left over goes by name."""
    room = dict.fromkeys(sorted(sizes), 0)
    left = min(wanted, sum(sizes.values()))
    while left:
        unfilled = [name for name in room if room[name] < sizes[name]]
        each = max(1, left // len(unfilled))
        for name in unfilled[:left]:
            given = min(each, sizes[name] - room[name])
            room[name] += given
            left -= given
    return room


def _place(name: str, seed: int) -> bytes:
    return hashlib.sha256(f"{seed}\0balance\0{name}".encode()).digest()


STEP = Balance
