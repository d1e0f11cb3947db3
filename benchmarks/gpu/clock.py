"""Time on a device, by its own events on CUDA and by the clock elsewhere; what the host waits for."""

import time
import warnings
from collections.abc import Callable
from itertools import pairwise
from statistics import median
from typing import Any

import torch

Work = Callable[[], object]


class Mark:
    """A moment on the device, which is passed when all that was asked of it before is done."""

    def __init__(self, device: torch.device) -> None:
        self._event: Any = None
        if device.type == "cuda":
            self._event = torch.cuda.Event(enable_timing=True)  # type: ignore[no-untyped-call]
            self._event.record()
        self._seconds = time.perf_counter()

    def until(self, later: "Mark") -> float:
        """Seconds to a later mark; the device must have passed it."""
        if self._event is None:
            return later._seconds - self._seconds
        return float(self._event.elapsed_time(later._event)) / 1000


def wait(device: torch.device) -> None:
    """Wait until the device has done all that was asked of it."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def seconds(work: Work, device: torch.device, *, count: int, warm: int) -> float:
    """Median seconds of a piece of work on the device, after pieces that warm up."""
    for _ in range(warm):
        work()
    wait(device)
    marks = [Mark(device)]
    for _ in range(count):
        work()
        marks.append(Mark(device))
    wait(device)
    return median(first.until(second) for first, second in pairwise(marks))


def host_waits(work: Work, device: torch.device) -> int | None:
    """How often the host waits for the device in a piece of work; None where torch cannot tell."""
    if device.type != "cuda":
        return None
    torch.cuda.set_sync_debug_mode("warn")
    try:
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            work()
    finally:
        torch.cuda.set_sync_debug_mode("default")
    return sum("synchroniz" in str(one.message) for one in told)


def peak_memory(work: Work, device: torch.device) -> float | None:
    """Largest memory of a piece of work in GiB; None on the CPU."""
    if device.type != "cuda":
        return None
    torch.cuda.reset_peak_memory_stats(device)
    work()
    wait(device)
    return torch.cuda.max_memory_allocated(device) / 2**30


def matmul_ceiling(device: torch.device, dtype: torch.dtype, *, side: int, tf32: bool = False) -> float:
    """Largest TFLOP/s of a product of two square matrices that this device shows."""
    first = torch.randn(side, side, device=device, dtype=dtype)
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("high" if tf32 else "highest")
    try:
        spent = seconds(lambda: first @ first, device, count=10, warm=3)
    finally:
        torch.set_float32_matmul_precision(before)
    return 2 * side**3 / spent / 1e12
