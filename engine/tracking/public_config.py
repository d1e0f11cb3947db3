"""The config of a run as it may leave the machine: nothing in it names a place, a file or a person."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

PATH = "(a path)"
"""What stands where a path stood."""

# Of the machine and of the command, and the settings of the tools themselves, which may hold a password.
_LEFT_OUT = ("paths", "logger", "trust", "resume", "ckpt_path", "find_run")
_PLACES = re.compile(
    r"(^|_)(root|path|file|folder|dir|dirpath|manifest|weights|init_from|storage|url|uri)s?$"
)
_FILE = re.compile(
    r"\.(csv|tsv|parquet|feather|xlsx?|json|ya?ml|txt|npy|npz|h5|db|ckpt|pth?|safetensors|tflite|task|onnx"
    r"|mp4|avi|mkv|mov|webm|wav)$",
    re.IGNORECASE,
)
_LOGGED = re.compile(
    r"(train|val|val_raw|test)/\w+"
)  # names of metrics: the one use of a slash that is no path
_NAMES = ("_target_", "target")
# Of `manifest.json`: counts, settings, code and machine. Not the command line, the name of the data, notes on
# them, errata, or what was skipped: these name files and recordings.
_TOLD = (
    "chosen", "data_digest", "deterministic", "epochs_without_monitor", "fps", "git", "hardware",
    "leaks_on_purpose", "packages", "parameters", "python", "questionnaires", "recordings", "seed", "started",
    "subject_disjoint", "synthetic", "test_looks", "threads", "warmup_epochs", "weights",
)  # fmt: skip


def told(record: Mapping[str, Any]) -> dict[str, Any]:
    """The part of `manifest.json` that names no place, file or person."""
    return {name: record[name] for name in _TOLD if name in record}


def public_config(config: Mapping[str, Any]) -> dict[str, Any]:
    """A copy of a plain config in which every text that is or may be a path is `PATH`.

    What cannot be told from a path counts as one: a text with a slash, a backslash or a tilde that is no name
    of a metric, one that ends like a file, and whatever stands under a key such as `root` or `path`. Settings
    of output folders, of loggers and of what a run goes on from are left out.

    Args:
        config: Resolved config, plain.

    Examples:
        >>> public_config({"seed": 1, "data": {"path": "anna.csv"}, "selection": {"monitor": "val/auc"}})
        {'seed': 1, 'data': {'path': '(a path)'}, 'selection': {'monitor': 'val/auc'}}
    """
    return {str(key): _public(str(key), value) for key, value in config.items() if key not in _LEFT_OUT}


def _public(key: str, value: Any) -> Any:
    if isinstance(value, Mapping):
        # a key may be a text of the user's too, as in a table of files
        return {
            PATH if _is_path("", str(name)) else str(name): _public(str(name), one)
            for name, one in value.items()
        }
    if isinstance(value, list | tuple):
        return [_public(key, one) for one in value]
    if value is None or isinstance(value, bool | int | float):
        return value
    return PATH if _is_path(key, str(value)) else str(value)


def _is_path(key: str, text: str) -> bool:
    if key in _NAMES or _LOGGED.fullmatch(text):
        return False
    return bool(text) and bool(_PLACES.search(key) or re.search(r"[/\\~]", text) or _FILE.search(text))


def flat(config: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Dotted keys and single values of nested settings; a list is one text, empty parts are left out.

    Examples:
        >>> dict(flat({"model": {"dim": 4, "widths": [8, 16]}, "callbacks": {}}))
        {'model.dim': 4, 'model.widths': '[8, 16]'}
    """
    if isinstance(config, Mapping):
        for key, value in config.items():
            yield from flat(value, f"{prefix}{key}.")
    else:
        yield prefix[:-1], str(config) if isinstance(config, list) else config
