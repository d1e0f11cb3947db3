"""The processor's name, which pages of measurements state."""

import platform
from pathlib import Path


def processor() -> str:
    """Its model, which only Linux's own file tells, and its architecture; elsewhere the architecture."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.is_file() else []
    named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{named[0]} ({platform.machine()})" if named else platform.machine()
