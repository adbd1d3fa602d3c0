"""What devices can do and hold."""

import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import torch

from lingshu_core.errors import SettingsError
from lingshu_core.recipe import nearest


@dataclass(frozen=True)
class Device:
    """One kind of device."""

    name: str
    flops: float | None
    """Operations a second in dense bfloat16 as its maker states it; None where unknown."""
    memory: float
    """In bytes."""


_KINDS = {
    "b200": (2250, 180), "gb200": (2500, 186), "h200": (989, 141), "h100": (989, 80),
    "h800": (989, 80), "h20": (148, 96), "a100": (312, 80), "a800": (312, 80), "l40s": (362, 48),
    "l4": (121, 24), "a10": (125, 24), "rtx 4090": (165, 24),
}  # fmt: skip

KINDS = {
    name: Device(name, teraflops * 1e12, gigabytes * 1e9)
    for name, (teraflops, gigabytes) in _KINDS.items()
}
"""Devices that can be named where they are not at hand."""


def named_device(name: str) -> Device:
    """Returns a kind of device by its name; SettingsError where it is unknown."""
    if name.lower() not in KINDS:
        raise SettingsError(f"{name!r} is no device that is known{nearest(name.lower(), KINDS)}")
    return KINDS[name.lower()]


def this_device(dtype: str) -> Device:
    """Returns the device that a run would take on this machine."""
    if torch.cuda.is_available():
        properties = torch.cuda.get_device_properties(0)
        device = torch.device("cuda", 0)
        return Device(properties.name, peak_flops(device, dtype), float(properties.total_memory))
    flops = peak_flops(torch.device("cpu"), dtype)
    return Device("processor", flops, float(_host_memory()))


@cache
def peak_flops(device: torch.device, dtype: str) -> float | None:
    """Returns the operations a second that a device can do at most.

    Of a GPU what its maker states, None where it is unknown; of a processor what a large product
    of matrices reaches, measured now with the threads that are in use.
    """
    if device.type == "cuda":
        name = torch.cuda.get_device_name(device).lower()
        # The longer names first: a GB200 is no B200.
        known = [KINDS[key] for key in sorted(KINDS, key=len, reverse=True) if key in name]
        return known[0].flops if known else None
    size = 768
    left, right = (torch.ones(size, size, dtype=getattr(torch, dtype)) for _ in range(2))
    best = float("inf")
    for _ in range(4):
        started = time.perf_counter()
        torch.mm(left, right)
        best = min(best, time.perf_counter() - started)
    return 2.0 * size**3 / best


def _host_memory() -> int:
    for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines():
        if line.startswith("MemTotal:"):
            return int(line.split()[1]) << 10
    return 0
