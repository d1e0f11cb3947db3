"""How recordings were preprocessed or encoded: the `preprocessing.json` of the cache or store they lie in."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from math import isfinite
from pathlib import Path
from typing import Any

import pandas as pd

FILE = "preprocessing.json"
_STORE, _TOKENS = "encoder_seen.json", "tokens"  # file and folder that only a store of `encode.py` has
_BESIDE = ("refused.csv", "faces.html", _STORE)  # where one lies and the record does not, it was lost
_LARGEST, _DEEPEST = 64 * 2**10, 12  # characters and levels of a record, our choice: a cache has two thousand
_VERSIONS = ("version", "versions", "libraries")  # keys below which a provenance tells the versions of others
_OWN = "format"  # among them: what `preprocess.py` raises when the same settings give other pictures


class BadPreprocessing(ValueError):
    """What says how recordings were preprocessed is not what `preprocess.py` writes."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Preprocessing:
    """How recordings were preprocessed.

    Attributes:
        fingerprint: SHA-256, the same for two caches whose clips mean the same.
        settings: Of the pipeline, plain.
        provenance: Versions, digests and licenses of what it ran.
    """

    fingerprint: str
    settings: Mapping[str, Any]
    provenance: Mapping[str, Any]

    @staticmethod
    def of(content: Any) -> "Preprocessing":
        """The record that plain values hold.

        Raises:
            BadPreprocessing: They are something else, or more than a cache writes.
        """
        names = {"fingerprint", "settings", "provenance"}
        if not isinstance(content, dict) or set(content) != names:
            raise BadPreprocessing(f"it does not hold {', '.join(sorted(names))} and nothing else")
        text = content["fingerprint"]
        if not isinstance(text, str) or len(text) != 64 or set(text) - set("0123456789abcdef"):
            raise BadPreprocessing(f"its fingerprint is {text!r:.80}, no SHA-256")
        for name in ("settings", "provenance"):
            if not isinstance(content[name], dict):
                raise BadPreprocessing(f"its {name} are {type(content[name]).__name__}, no values by name")
            _check_plain(content[name], name)
        if len(json.dumps(content)) > _LARGEST:
            raise BadPreprocessing(f"it is longer than {_LARGEST} characters")
        return Preprocessing(**content)

    def plain(self) -> dict[str, Any]:
        """The record as plain values, which `of` reads."""
        return asdict(self)

    def differences(self, other: "Preprocessing") -> dict[str, tuple[Any, Any]]:
        """Settings and facts that differ, by dotted key: of this one, and of the other; None for none."""
        was, now = (
            dict(_flat({"settings": one.settings, "provenance": one.provenance})) for one in (self, other)
        )
        keys = [*was, *(key for key in now if key not in was)]
        return {key: (was.get(key), now.get(key)) for key in keys if was.get(key) != now.get(key)}


def is_version(key: str) -> bool:
    """Whether a key of `differences` is the version of a library or runtime: no setting, no network."""
    first, *parts = key.split(".")
    return first == "provenance" and any(part in _VERSIONS for part in parts) and parts[-1] != _OWN


def preprocessing_of(table: pd.DataFrame, root: Path, *, mixed: bool) -> Preprocessing | None:
    """How the recordings of a table were preprocessed: what lies two folders above their files.

    Args:
        table: With `path`, `series_path` and `tokens_path` relative to `root`, or absolute.
        root: Folder of the table.
        mixed: Whether recordings of several kinds may stand side by side; the record then says which.

    Raises:
        BadPreprocessing: A record is damaged, or recordings differ that may not.
    """
    clips = cache_folders(table, root)
    found = {folder: read_preprocessing(folder) for folder in clips}
    kinds = {one.fingerprint if one else "none": folder for folder, one in found.items()}
    if len(kinds) < 2:
        return next(iter(found.values()), None)
    if not mixed:
        listed = ", ".join(f"{clips[folder]} ({name[:12]})" for name, folder in sorted(kinds.items()))
        raise BadPreprocessing(
            f"the recordings are of {len(kinds)} kinds of preprocessing: {listed}. A network can tell them "
            "apart by that. Preprocess all alike, or say mixed_preprocessing=true where the table is read"
        )
    digest = hashlib.sha256("|".join(sorted(kinds)).encode()).hexdigest()
    return Preprocessing(fingerprint=digest, settings={"mixed": sorted(kinds)}, provenance={})


def cache_folders(table: pd.DataFrame, root: Path) -> dict[Path, str]:
    """Folders that are caches if they hold a record, two above the clips or series; one such file of each."""
    names = [name for name in ("path", "series_path", "tokens_path") if name in table]
    cells = zip(*(table[name].tolist() for name in names), strict=True)
    files = {file for row in cells if (file := next(filter(None, row), ""))}
    return {(root / file).parent.parent: file for file in sorted(files)}


def read_preprocessing(folder: Path) -> Preprocessing | None:
    """The record of a cache; None where the folder is none.

    Raises:
        BadPreprocessing: It is damaged, or a cache has lost it; says what to do.
    """
    file = folder / FILE
    if not file.is_file():
        if any((folder / name).is_file() for name in _BESIDE):
            command = maker(folder)
            what = "encoder made these tokens" if command == "encode.py" else "settings cut these faces out"
            raise BadPreprocessing(
                f"{file}: is missing, and it alone says which {what}. Copy it from where it was made, or "
                f"give its command of {command} once more: what is done stays"
            )
        return None
    try:
        if file.stat().st_size > 2 * _LARGEST:
            raise BadPreprocessing(f"it is longer than {2 * _LARGEST} bytes")
        return Preprocessing.of(json.loads(file.read_text(encoding="utf-8")))
    except (BadPreprocessing, ValueError, RecursionError, OSError) as fault:
        raise BadPreprocessing(
            f"{file}: is not what {maker(folder)} writes ({fault}). Delete it and give the command of "
            f"{maker(folder)} once more: what is done stays"
        ) from fault


def maker(folder: Path) -> str:
    """The command that made a folder, with its record or without: `encode.py` or `preprocess.py`."""
    store = (folder / _STORE).is_file() or (folder / _TOKENS).is_dir()
    return "encode.py" if store else "preprocess.py"


def _flat(node: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Dotted keys of all values; of a list of records, as of networks, by their names."""
    if isinstance(node, list) and node and all(isinstance(one, Mapping) and "name" in one for one in node):
        node = {str(one["name"]): one for one in node}
    if isinstance(node, Mapping) and node:
        for key, value in node.items():
            yield from _flat(value, f"{prefix}{key}.")
    else:
        yield prefix[:-1], node


def _check_plain(node: Any, key: str, depth: int = 0) -> None:
    if depth > _DEEPEST:
        raise BadPreprocessing(f"{key[:80]} nests too deeply")
    if isinstance(node, dict):
        for name, value in node.items():
            if not isinstance(name, str):
                raise BadPreprocessing(f"{key} has the key {name!r:.80}, no text")
            _check_plain(value, f"{key}.{name}", depth + 1)
    elif isinstance(node, list):
        for value in node:
            _check_plain(value, key, depth + 1)
    elif not (node is None or isinstance(node, str | int) or (isinstance(node, float) and isfinite(node))):
        raise BadPreprocessing(f"{key} is {node!r:.80}, no plain value")
