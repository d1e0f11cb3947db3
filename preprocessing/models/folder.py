"""Where the files lie, and whether they are the ones that are meant."""

import hashlib
from collections.abc import Iterable
from pathlib import Path

from datamodules.commands import typed
from datamodules.user_cache import cache_folder
from datamodules.wording import first_few
from preprocessing.models.files import MODEL_FILES, ModelFile


class ModelError(Exception):
    """A file of a network is missing, or is not the one that is meant; the message says what to do."""


def two_ways() -> str:
    """How to get the files, with a network and without."""
    names = ", ".join(file.name for file in MODEL_FILES)
    return (
        f"There are two ways to get the face networks: run `{typed('face_models')}` where there is a "
        f"network; or name a folder that holds {names} by the option `models` (face.models=<folder>)"
    )


def default_folder() -> Path:
    """The folder in the user's cache that `python -m preprocessing.models` fills."""
    return cache_folder("models")


def locate(folder: str | Path | None = None, files: Iterable[ModelFile] = MODEL_FILES) -> dict[str, Path]:
    """Paths of checked files by their names.

    Args:
        folder: That holds them; the user's cache by default.
        files: That are needed.

    Raises:
        ModelError: A file is missing, with the two ways to get it, or has another digest.
    """
    place = default_folder() if folder is None else Path(folder).expanduser()
    wanted = tuple(files)
    missing = [file.name for file in wanted if not (place / file.name).is_file()]
    if missing:
        raise ModelError(f"{place}: no {first_few(missing)}. {two_ways()}")
    for file in wanted:
        check(place / file.name, file)
    return {file.name: place / file.name for file in wanted}


def check(path: Path, file: ModelFile) -> None:
    """Refuse a file that is not the one that is meant.

    Raises:
        ModelError: Its digest is another one.
    """
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != file.sha256:
        raise ModelError(
            f"{path}: its SHA-256 is {found[:12]}..., not {file.sha256[:12]}...: it is damaged or another "
            f"release; delete it and run `{typed('face_models')}`"
        )
