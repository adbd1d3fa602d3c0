"""What the collection holds: which views of which picture sources, and what is planted.

The plan follows from its settings alone and is cheap; drawing is left to the workers. Training and
test never share a picture source, except where a leak is planted to be found.
"""

from collections.abc import Iterator
from dataclasses import replace
from itertools import count
from typing import Literal

import numpy as np

from lingshu_core.modality import Modality
from lingshu_data.nano.phantoms import PHANTOMS
from lingshu_data.nano.views import Plant, View
from lingshu_data.nano.wheels import WHEELS

TEST_SHARE = 0.14
_WHEEL_VIEWS = {"train": 5, "test": 4}
_PHANTOM_VIEWS = 2
_PLACES = ((0, 0), (1, 0), (0, 1), (1, 1))
_PLANTS: dict[Plant, float] = {
    "exact copy": 0.011,
    "re-encoded copy": 0.011,
    "too small": 0.011,
    "short caption": 0.008,
    "leak": 0.006,
    "near leak": 0.006,
}
"""Shares of all views; about 5 % together."""

Split = Literal["train", "test"]


def plan(views: int, seed: int) -> list[View]:
    """Returns the views in the order of their numbers.

    Args:
        views: About how many, planted ones left aside; each modality gets the same share.
        seed: Another seed, other phantoms and other cuts of the same real pictures.
    """
    random = np.random.default_rng((seed, views))
    each = max(4, round(views / len(PHANTOMS)))
    numbers = count()
    found: list[View] = []
    for modality in PHANTOMS:
        tests = max(1, round(each * TEST_SHARE))
        sides: tuple[tuple[Split, int], ...] = (("train", each - tests), ("test", tests))
        for split, amount in sides:
            found += _part(modality, split, amount, random, numbers)
    return [*found, *_planted(found, random, numbers)]


def _part(
    modality: Modality,
    split: Split,
    amount: int,
    random: np.random.Generator,
    numbers: Iterator[int],
) -> list[View]:
    wheels = [
        index
        for index, wheel in enumerate(WHEELS)
        if (wheel.modality, wheel.split) == (modality, split)
    ]
    # Real pictures take at most half, so that every organ is among the phantoms.
    origins: list[tuple[int | None, str | None, int]] = []
    for turn in range(_WHEEL_VIEWS[split]):
        origins += [(index, WHEELS[index].organ, turn) for index in wheels]
    origins = origins[: amount // 2]
    organs = PHANTOMS[modality].organs
    first = int(random.integers(1 << 40))
    for index in range(amount - len(origins)):
        source = index // _PHANTOM_VIEWS
        origins.append((None, organs[source % len(organs)], first + source))
    places = _places(len(origins), random)
    return [
        View(next(numbers), modality, organ, wheel, origin_seed, split, place)
        for (wheel, organ, origin_seed), place in zip(origins, places, strict=True)
    ]


def _places(amount: int, random: np.random.Generator) -> list[tuple[int, int] | None]:
    """Returns quarters for half of the views, equally often, and None for the others."""
    cycle = [None if index % 2 else _PLACES[index // 2 % 4] for index in range(amount)]
    return [cycle[index] for index in random.permutation(amount)]


def _planted(
    found: list[View], random: np.random.Generator, numbers: Iterator[int]
) -> Iterator[View]:
    sides = {split: [view for view in found if view.split == split] for split in ("train", "test")}
    for plant, share in _PLANTS.items():
        side = sides["test" if "leak" in plant else "train"]
        amount = max(1, round(share * len(found)))
        for index in random.choice(len(side), min(amount, len(side)), replace=False):
            view = side[index]
            yield replace(view, number=next(numbers), split="train", planted=plant, of=view.number)
