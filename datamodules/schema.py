"""Schema shared by all tables: id columns, the id of unknown subjects, natural sorting of names."""

import re

UNKNOWN = "unknown"  # the only subject id that promises nothing about who is in the video


def natural_key(session: str) -> tuple[tuple[int, int, str], ...]:
    """Sort key under which `visit10` follows `visit9`."""
    pieces = [piece for piece in re.split(r"(\d+)", session) if piece]
    return tuple((0, int(piece), "") if piece.isdecimal() else (1, 0, piece) for piece in pieces)


IDS = ("recording_id", "subject_id", "session_id")
