"""What a command writes on the terminal: progress bars where there is one, and the block that ends it."""

import json
import logging
import os
import shlex
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from datamodules.commands import typed
from engine.config.allowlist import SYNTHETIC
from engine.runs.provenance import read_manifest_json
from engine.runs.ranks import is_main
from evaluation.report.terminal_summary import Row, asked_rows, block, caution_rows, result_rows

_log = logging.getLogger(__name__)
_PAGES = ("report.html", "analysis.html", "audit.html", "attribution.html")


def with_progress_bar(trainer: Mapping[str, Any]) -> dict[str, Any]:
    """The node of a trainer with its progress bar switched off where nobody sees it; a given choice stays."""
    return {"enable_progress_bar": sys.stdout.isatty(), **trainer}


def conclude(title: str, folder: Path, *, rows: Sequence[Row] = (), following: Sequence[str] = ()) -> None:
    """Log the last lines of a command: what was asked, the result, folder, pages, and what to type next.

    The first rank alone does, after `manifest.json` says that the run has ended.

    Args:
        title: How the command ended, in a few words.
        folder: Of the run; its `manifest.json`, and `metrics.json` if there is one, are read.
        rows: Further rows, before those of the folder.
        following: The next commands.
    """
    if not is_main():
        return
    metrics = folder / "metrics.json"
    found = json.loads(metrics.read_text(encoding="utf-8")) if metrics.is_file() else None
    pages = [(path.stem, shown(path)) for name in _PAGES if (path := folder / name).is_file()]
    record = read_manifest_json(folder)
    told = [
        *asked_rows(record),
        *([*result_rows(found), *caution_rows(record, found)] if found else ()),
        *rows,
        ("folder", shown(folder)),
        *pages,
        *([("next", "\n".join(following))] if following else ()),
    ]
    _log.info("%s", block(f"{title} ({duration(record.get('wall_s', 0))})", told))


def duration(seconds: float) -> str:
    """A length of time in its two largest units, as in `1 h 05 min` or `40 s`."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes = round(whole / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"


def shown(path: Path) -> str:
    """A path as it can be typed here: relative below the current folder, quoted where a shell needs it."""
    place, here = Path(os.path.abspath(path)), Path.cwd()  # noqa: PTH100 - links are left as they are
    return shlex.quote(str(place.relative_to(here) if place.is_relative_to(here) else place))


def made_up(manifest: Any) -> bool:
    """Whether a `data.manifest` node makes the synthetic cohort, whatever it does to it afterwards."""
    if isinstance(manifest, Mapping):
        return manifest.get("_target_") == SYNTHETIC or any(made_up(one) for one in manifest.values())
    return isinstance(manifest, list | tuple) and any(made_up(one) for one in manifest)


def after_training(folder: Path) -> list[str]:
    """What to type after a training: evaluate its checkpoint with an audit, and predict with it."""
    found = [*folder.glob("checkpoints/best.ckpt"), *sorted(folder.glob("**/fold_*/checkpoints/best.ckpt"))]
    if not found:
        return []
    config = read_manifest_json(folder).get("config") or {}
    given = " ".join([f"ckpt_path={shown(found[0])}", *trust_word(config)])
    place = place_word(config)
    return [
        " ".join([typed("eval"), given, *place, "audit=true"]),
        f"{typed('predict')} {given} {_input(config)}",
    ]


def trust_word(config: Mapping[str, Any]) -> list[str]:
    """The packages that a run trusted, as a word of the commands that read its checkpoint."""
    names = config.get("trust") or ()
    return [f"trust=[{','.join(names)}]"] if names else []


def _input(config: Mapping[str, Any]) -> str:
    """What a network predicts, as a word of the command."""
    if _reads_history(config):
        return "input=TABLE history=EARLIER  # visits to predict, and scored ones before"
    source = ((config.get("data") or {}).get("module") or {}).get("source") or {}
    if str(source.get("_target_")).endswith(".TokenClips"):
        return "input=STORE/manifest.csv  # recordings that encode.py encoded in the same way"
    return "input=FOLDER  # or a video, or a table"


def _reads_history(config: Mapping[str, Any]) -> bool:
    """Whether the network of a run reads scores of earlier visits."""
    context = ((config.get("model") or {}).get("network") or {}).get("context") or {}
    return str(context.get("_target_")).endswith(".CalibratedContext")


def place_word(config: Mapping[str, Any]) -> list[str]:
    """What lets `eval.py` find the recordings of a run that are not below its default `paths.data`."""
    data = Path(str((config.get("paths") or {}).get("data", "data")))
    node: Any = (config.get("data") or {}).get("manifest")
    while isinstance(node, Mapping) and isinstance(inner := node.get("manifest"), Mapping):
        node = inner  # of a manifest with other labels, the one that it is made of
    if isinstance(node, Mapping) and node.get("_target_") != SYNTHETIC:
        for name in ("root", "path"):
            place = Path(str(node.get(name) or data))
            if not place.resolve().is_relative_to(data.resolve()):
                return [f"manifest={shown(place)}" if name == "path" else f"paths.data={shown(place)}"]
    return [] if data == Path("data") else [f"paths.data={shown(data)}"]
