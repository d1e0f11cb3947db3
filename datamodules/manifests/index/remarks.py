"""What the checks of a table warn of, kept so that a later opening from the index says it again."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

ROOM = "datamodules.manifests"  # all checks log below it
Remark = tuple[str, int, str]  # logger, level, message


class _Ear(logging.Handler):
    def __init__(self, heard: list[Remark]) -> None:
        super().__init__(level=logging.WARNING)
        self._heard = heard

    def emit(self, record: logging.LogRecord) -> None:
        self._heard.append((record.name, record.levelno, record.getMessage()))


@contextmanager
def heard() -> Iterator[list[Remark]]:
    """Collect what is warned of within, beside whoever else hears it."""
    found: list[Remark] = []
    ear = _Ear(found)
    logging.getLogger(ROOM).addHandler(ear)
    try:
        yield found
    finally:
        logging.getLogger(ROOM).removeHandler(ear)


def all_speak() -> bool:
    """Whether no logger of the checks is silenced: what a silent one has to say would not be kept."""
    known = [name for name in logging.root.manager.loggerDict if name.startswith(ROOM)]
    return all(logging.getLogger(name).isEnabledFor(logging.WARNING) for name in known)


def say(remarks: list[Remark]) -> None:
    """Warn again."""
    for name, level, message in remarks:
        logging.getLogger(name).log(level, "%s", message)
