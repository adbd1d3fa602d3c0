"""Warm-up and cosine are those of transformers."""

import pytest
import torch
from transformers import get_cosine_schedule_with_warmup

from lingshu_train.schedule import factor, rates


@pytest.mark.parametrize(("steps", "warmup"), [(50, 10), (100, 0), (7, 10)])
def test_the_curve_is_that_of_transformers(steps: int, warmup: int) -> None:
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    schedule = get_cosine_schedule_with_warmup(optimizer, warmup, steps)
    for step in range(steps):
        assert factor(step, steps, warmup) == pytest.approx(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()


def test_every_part_keeps_its_own_peak() -> None:
    found = rates({"vision": 2e-6, "language": 1e-5}, 100, 1000, 100)
    assert found == {"vision": 2e-6, "language": 1e-5}
