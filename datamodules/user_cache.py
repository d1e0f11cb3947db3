"""Cache on disk, in `$XDG_CACHE_HOME/euthymia` or `~/.cache/euthymia`; it may be deleted at any time."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO


def cache_folder(kind: str) -> Path:
    """Folder in which everything of one kind is kept, such as `packets` or `series`."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "euthymia" / kind


@contextmanager
def replacing(target: Path) -> Iterator[IO[bytes]]:
    """Give a file to write to, and rename it to `target` when all is written.

    A parallel worker never sees half a file, and a failure leaves the old one.

    Raises:
        OSError: The folder cannot be made or written to.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=target.parent, suffix=".part", delete=False) as part:
        try:
            yield part
            part.close()
            Path(part.name).replace(target)
        except BaseException:
            Path(part.name).unlink(missing_ok=True)
            raise
