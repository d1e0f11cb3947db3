"""The database of a study, the lock on its folder, and the heartbeat of a trial."""

import logging
import random
import re
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from warnings import catch_warnings, simplefilter

import optuna
from optuna.exceptions import ExperimentalWarning
from optuna.storages import RDBStorage
from sqlalchemy.engine import make_url
from sqlalchemy.exc import (
    ArgumentError,
    DBAPIError,
    IntegrityError,
    NoSuchModuleError,
    SQLAlchemyError,
)
from sqlalchemy.pool import NullPool

from engine.config.compose import ConfigError
from engine.runs.atomic_write import writing

try:
    import fcntl
except ImportError:  # Windows: without a lock
    fcntl = None  # type: ignore[assignment]

_log = logging.getLogger(__name__)
_FILE = "study.db"
_LOCK = ".study.lock"
_GRACE = 4  # heartbeats that may be missed: a busy disk or a paused machine is not a death; our choice
_ATTEMPTS = 5  # at a database whose tables somebody else is making; our choice
_NO_ADDRESS = (
    "no address of a database. Write sqlite:///<file> or postgresql+psycopg://<user>@<host>/<database>"
)
_SECRET = re.compile(r":[^:@/]*@")
_WAIT = 120  # seconds that one worker waits for another's write to SQLite; our choice


def storage_url(storage: str | None, folder: Path) -> str:
    """Where the study is kept: SQLite in its folder unless a URL is given."""
    return f"sqlite:///{(folder / _FILE).resolve()}" if storage is None else storage


def shown_url(url: str) -> str:
    """The URL without a password."""
    return str(make_url(url).render_as_string(hide_password=True))


def open_study(
    url: str, *, name: str, directions: Sequence[str], heartbeat: int, pruner: Any = None
) -> optuna.Study:
    """The study of a name, made if it does not exist.

    Args:
        url: As SQLAlchemy reads it, `sqlite:///...` or `postgresql+psycopg://...`.
        name: Of the study; a database may hold several.
        directions: `minimize` or `maximize` of each objective.
        heartbeat: Seconds between two signs of life of a worker.
        pruner: Of Optuna; None prunes nothing.

    Raises:
        ConfigError: No database answers there, or the study searches in other directions.
    """
    storage = _opened(url, heartbeat)
    study = optuna.create_study(
        study_name=name,
        storage=storage,
        directions=list(directions),
        load_if_exists=True,
        pruner=pruner or optuna.pruners.NopPruner(),
    )
    was = [one.name.lower() for one in study.directions]
    if was != list(directions):
        raise ConfigError(
            f"study {name}: its objectives are to be {was} there, {list(directions)} here. Begin "
            "another with study=..."
        )
    return study


def _opened(url: str, heartbeat: int) -> RDBStorage:
    """Open the database; its tables are made by the first to come."""
    try:
        shown = shown_url(url)
    except ArgumentError as error:
        raise ConfigError(f"storage={_SECRET.sub(':***@', url)}: {_NO_ADDRESS}") from error
    try:
        return _tried(url, heartbeat, attempts=_ATTEMPTS)
    except NoSuchModuleError as error:
        raise ConfigError(f"storage={shown}: {_NO_ADDRESS} ({error})") from error
    except SQLAlchemyError as error:
        raise ConfigError(f"storage={shown}: the database does not answer: {error}") from error


def _tried(url: str, heartbeat: int, *, attempts: int) -> RDBStorage:
    connect = {"timeout": _WAIT} if url.startswith("sqlite") else {}
    try:
        with catch_warnings():
            simplefilter("ignore", ExperimentalWarning)
            return RDBStorage(
                url,
                # a connection of its own for each question: the workers of a loader are forks of this process
                engine_kwargs={"connect_args": connect, "poolclass": NullPool},
                heartbeat_interval=heartbeat,
                grace_period=_GRACE * heartbeat,
            )
    except DBAPIError as error:
        # of two that make the tables of one database at once, the slower one is told that they exist
        taken = isinstance(error, IntegrityError) or "already exists" in str(error)
        if not taken or attempts == 1:
            raise
    time.sleep(random.uniform(0.5, 1.5))
    return _tried(url, heartbeat, attempts=attempts - 1)


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the lock on a study while its trials change hands; the kernel frees it if this process dies.

    What is done under it can be done again: whoever comes next finds what is left undone.
    """
    path = folder / _LOCK
    with writing(path, lost="nothing: the trial is still waiting"):
        folder.mkdir(parents=True, exist_ok=True)
        file = path.open("a+", encoding="utf-8")
    with file:
        if fcntl is not None:
            try:
                fcntl.flock(file.fileno(), fcntl.LOCK_EX)
            except OSError as error:  # some network file systems
                _log.warning("%s: no lock to be had here (%s); start the workers one by one", path, error)
        yield


@contextmanager
def beating(storage: Any, trial_id: int) -> Iterator[None]:
    """Tell the database every few seconds that the process of a trial lives, from a thread."""
    ended = threading.Event()

    def beat() -> None:
        while not ended.wait(storage.get_heartbeat_interval()):
            try:
                storage.record_heartbeat(trial_id)
            except Exception as error:  # the database may be back at the next beat
                _log.warning("no sign of life could be given: %s", error)

    thread = threading.Thread(target=beat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
