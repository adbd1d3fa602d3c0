"""What the device can do at most."""

import time
from functools import cache

import torch

_TERAFLOPS = {
    "H200": 989.0, "H100": 989.0, "H800": 989.0, "H20": 148.0, "B200": 2250.0, "GB200": 2500.0,
    "A100": 312.0, "A800": 312.0, "L40S": 362.0, "L4": 121.0, "A10": 125.0, "4090": 165.0,
}  # fmt: skip
"""Dense bfloat16, as the makers state it."""


@cache
def peak_flops(device: torch.device, dtype: str) -> float | None:
    """Returns the operations a second that a device can do at most.

    Of a GPU what its maker states, None where it is unknown; of a processor what a large product
    of matrices reaches, measured now with the threads that are in use.
    """
    if device.type == "cuda":
        name = torch.cuda.get_device_name(device)
        known = [value for key, value in _TERAFLOPS.items() if key in name]
        return known[0] * 1e12 if known else None
    size = 768
    left = torch.ones(size, size, dtype=getattr(torch, dtype))
    right = torch.ones(size, size, dtype=getattr(torch, dtype))
    best = float("inf")
    for _ in range(4):
        started = time.perf_counter()
        torch.mm(left, right)
        best = min(best, time.perf_counter() - started)
    return 2.0 * size**3 / best
