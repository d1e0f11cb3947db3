"""A PostgreSQL server of one's own in a folder, for as long as it is needed."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_PLACES = ("/usr/lib/postgresql/*/bin", "/usr/local/bin", "/usr/bin")


def programs() -> Path | None:
    """Folder of `initdb` and `pg_ctl`; None where no server is installed."""
    for pattern in _PLACES:
        for place in sorted(Path("/").glob(pattern[1:]), reverse=True):
            if (place / "initdb").is_file() and (place / "pg_ctl").is_file():
                return place
    return None


@contextmanager
def server() -> Iterator[str]:
    """Start a server in a folder of its own, on whose socket alone it answers; gives the URL of its database.

    The server refuses to run as root: it then runs as `postgres`, whom its package makes.

    Raises:
        FileNotFoundError: No server is installed.
    """
    place = programs()
    if place is None:
        raise FileNotFoundError("no PostgreSQL server is installed: apt-get install postgresql")
    folder = Path(tempfile.mkdtemp(prefix="pg"))  # short: the path of a socket has at most 107 characters
    user = "postgres" if os.geteuid() == 0 else None
    if user is not None:
        shutil.chown(folder, user)
    data, log = str(folder / "data"), str(folder / "log")

    def call(*command: str) -> None:
        subprocess.run(
            [str(place / command[0]), *command[1:]],
            check=True,
            user=user,
            cwd=folder,
            stdout=subprocess.DEVNULL,
        )

    call("initdb", "-D", data, "-U", "sweeps", "--auth=trust", "-E", "UTF8")
    call("pg_ctl", "-D", data, "-l", log, "-w", "-o", f"-k {folder} -c listen_addresses=''", "start")
    try:
        yield f"postgresql+psycopg://sweeps@/postgres?host={folder}"
    finally:
        call("pg_ctl", "-D", data, "-w", "-m", "immediate", "stop")
        shutil.rmtree(folder, ignore_errors=True)
