"""Absolute paths of this machine, shortened before a page is written: pages travel, user names should not."""

import re
from pathlib import Path

# two names or more from a root on; what stands before tells them from `and/or`, `https://` and relative paths
_NAME = r"[^\s/\\'\",;:()<>\[\]{}]"
_PATH = re.compile(rf"(?<![\w./\\~\N{{HORIZONTAL ELLIPSIS}}-])(?:[A-Za-z]:\\|/)(?:{_NAME}+[/\\]+)+({_NAME}*)")


def shortened(text: str) -> str:
    """The text with its paths relative to the working or the home folder, or else as their last name."""
    for folder, short in ((Path.cwd(), ""), (Path.home(), "~/")):
        if folder != Path(folder.anchor):
            root = rf"(?<![\w.~-]){re.escape(str(folder))}"  # after `//` too, as in sqlite:////home/me/a.db
            text = re.sub(rf"{root}[/\\]", short, text)
            text = re.sub(rf"{root}(?![\w.-])", short.rstrip("/") or ".", text)
    return _PATH.sub("\N{HORIZONTAL ELLIPSIS}/\\1", text)
