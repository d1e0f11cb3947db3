"""Who is nobody known, and the order of visits and jobs that people number."""

import re

UNKNOWN = "unknown"  # the manifest's literal for a subject nobody knows


def natural_key(name: str) -> tuple[tuple[int, int, str], ...]:
    """Sort key under which `visit10` follows `visit9`.

    Example:
        >>> sorted(["v10", "v9", "v1"], key=natural_key)
        ['v1', 'v9', 'v10']
    """
    pieces = [piece for piece in re.split(r"(\d+)", name) if piece]
    return tuple((0, int(piece), "") if piece.isdecimal() else (1, 0, piece) for piece in pieces)
