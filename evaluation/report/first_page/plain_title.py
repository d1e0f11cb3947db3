"""Title of a run in plain words: what was trained to tell what, and on whose data it was tested."""

from collections.abc import Iterable, Mapping
from typing import Any

from evaluation.report.first_page.numbers import listed


def plain_title(record: Mapping[str, Any], columns: Iterable[str]) -> str:
    """The title; empty where the predictions do not say what was asked.

    Args:
        record: Content of `manifest.json`.
        columns: Of the predictions.
    """
    names = set(map(str, columns))
    of = " or ".join(one["name"] for one in record.get("questionnaires") or ()) or "questionnaire"
    told = []
    if "score_prediction" in names:
        told.append(f"the {of} total")
    if "binary_prediction" in names:
        cut = "who reaches its cut-off" if told else f"who reaches the cut-off of the {of}"
        cuts = [one for one in record.get("questionnaires") or () if one.get("cut_off") is not None]
        told.append(cut if cuts else "whose label is positive")
    if not told and "band_prediction" in names:
        told.append(f"the {of} band of severity")
    if any(name.startswith("item_") and name.endswith("_prediction") for name in names):
        told.append("its answers" if told else f"the answers to the {of}")
    if not told:
        return ""
    return f"A network trained to tell {listed(told)} from {_read(record)}, tested on {_tested(record)}"


def _read(record: Mapping[str, Any]) -> str:
    source = (((record.get("config") or {}).get("data") or {}).get("module") or {}).get("source") or {}
    tokens = str(source.get("_target_")).endswith(".TokenClips")
    return "videos of faces" if source.get("video") or tokens else "measurements"


def _tested(record: Mapping[str, Any]) -> str:
    name = record.get("data")
    if record.get("synthetic"):
        return "made-up persons" + (f" (data: {name})" if name and name != "synthetic" else "")
    return f"the data {name}" if name else "data without a name"
