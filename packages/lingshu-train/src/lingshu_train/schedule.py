"""The learning rate of every step."""

import math
from collections.abc import Mapping

from lingshu_train.settings import Group


def factor(step: int, steps: int, warmup: int) -> float:
    """Returns the share of the peak rate at a step.

    A linear warm-up from 0 and half a cosine down to 0, as the trainers of the paper's time have
    it: the very first step has a rate of 0.

    Args:
        step: From 0.
        steps: Of the whole stage.
        warmup: Steps of the warm-up.
    """
    if step < warmup:
        return step / warmup
    return 0.5 * (1 + math.cos(math.pi * (step - warmup) / max(1, steps - warmup)))


def rates(peaks: Mapping[Group, float], step: int, steps: int, warmup: int) -> dict[Group, float]:
    """Returns the rate of every part at a step."""
    share = factor(step, steps, warmup)
    return {name: peak * share for name, peak in peaks.items()}
