"""Progress of long loops: a bar on a terminal, a line in the log now and then elsewhere."""

import io
import logging
import sys
from collections.abc import Iterable
from typing import Any

from tqdm import tqdm

_log = logging.getLogger(__name__)
_SECONDS = 30.0  # between two lines; a loop that is shorter says nothing


class Progress(tqdm):  # type: ignore[type-arg]
    """`tqdm`, which writes to the log every half minute where nobody could see a bar.

    Args:
        items: What is gone through.
        settings: Of `tqdm`: `desc`, `total`, `unit`.
    """

    def __init__(self, items: Iterable[Any] | None = None, **settings: Any) -> None:
        self._seen = sys.stderr.isatty()
        if not self._seen:
            settings |= {"mininterval": _SECONDS, "maxinterval": _SECONDS, "delay": _SECONDS}
            settings |= {"file": io.StringIO(), "miniters": 1}
        super().__init__(items, **settings)

    def display(self, msg: str | None = None, pos: int | None = None) -> None:
        """Show where the loop is."""
        if self._seen:
            super().display(msg, pos)
            return
        facts = self.format_dict
        left = ""
        if facts["total"] and 0 < facts["n"] < facts["total"]:
            rest = facts["elapsed"] / facts["n"] * (facts["total"] - facts["n"])
            left = f", about {self.format_interval(rest)} left"
        more = f", {facts['postfix']}" if facts["postfix"] else ""
        _log.info("%s: %s of %s%s%s", facts["prefix"], facts["n"], facts["total"] or "?", more, left)
