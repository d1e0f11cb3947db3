"""What a run asked: which question, which questionnaire and cut-off, and from what input."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

Record = Mapping[str, Any]  # content of a run's `manifest.json`

_REAL = (
    "Nothing marks these data as made up: they are read as recordings of real persons, to whom what is said "
    "here applies only as far as the persons tested resemble them."
)
_MADE_UP = (
    "These data are synthetic: the persons and their recordings are made up, all or some of them, so that "
    "this page says how a method works and nothing about patients."
)


@dataclass(frozen=True)
class Sides:
    """How the two classes are called.

    Attributes:
        above: Of whom is asked.
        below: Everybody else, right after the first.
        others: Everybody else, alone.
        column: Heading of a column that counts the first.
    """

    above: str
    below: str
    others: str
    column: str


def sides(record: Record) -> Sides:
    """By the cut-off of the questionnaire, or by the label where there is none or are several."""
    cuts = {one["cut_off"] for one in record.get("questionnaires") or () if one.get("cut_off") is not None}
    if len(cuts) == 1:
        column = "Recordings at or above the cut-off"
        return Sides("at or above the cut-off", "below it", "below the cut-off", column)
    column = "Recordings with a positive label"
    return Sides("with a positive label", "with a negative one", "with a negative label", column)


def opening(record: Record) -> str:
    """The first sentence of the page: whether anybody of this is real."""
    return _MADE_UP if record.get("synthetic") else _REAL


def asked(record: Record, columns: Iterable[str]) -> list[str]:
    """The question and the input, a sentence each.

    Args:
        record: Content of `manifest.json`.
        columns: Of the predictions, which say what was predicted.
    """
    names = set(map(str, columns))
    wanted = []
    if "score_prediction" in names:
        wanted.append(f"how many points a person scores {_in_questionnaire(record)}")
    if "binary_prediction" in names:
        wanted.append(_side(record))
    if not wanted and "band_prediction" in names:
        wanted.append(f"which band of severity a person is in {_in_questionnaire(record)}")
    if any(name.startswith("item_") and name.endswith("_prediction") for name in names):
        wanted.append("how each of its questions is answered")
    question = f"Can a computer program (a trained network) tell {', and '.join(wanted)}?" if wanted else ""
    return [text for text in (question, _input(record)) if text]


def _in_questionnaire(record: Record) -> str:
    names = [
        f"{one['name']} ({one['low']} to {one['high']} points)" for one in record.get("questionnaires") or ()
    ]
    return f"in the questionnaire {' or '.join(names)}" if names else "in a questionnaire"


def _side(record: Record) -> str:
    known = [one for one in record.get("questionnaires") or () if one.get("cut_off") is not None]
    if not known:
        return "whether the label of a person is positive"
    cuts = " or ".join(f"{one['cut_off']:g} points in the {one['name']}" for one in known)
    return f"whether the total reaches the cut-off of {cuts}"


def _input(record: Record) -> str:
    """What the network reads, of which length, and what else it is told."""
    config = record.get("config") or {}
    data = config.get("data") or {}
    module = data.get("module") or {}
    source, clips = module.get("source") or {}, module.get("eval_clips") or {}
    if clips.get("length") is None or "trainer" not in config:
        return ""
    if video := source.get("video"):
        size = f"{video['height']} x {video['width']}"
        read = f"video of the face in up to {clips['length']} pictures of {size} pixels"
    elif str(source.get("_target_")).endswith(".TokenClips"):
        read = "video of the face, as another network has summarized it"
    else:
        channels = len(source["channels"]) if source.get("channels") else data.get("channels")
        read = f"no picture, but {channels} measurements at up to {clips['length']} moments"
    return f"It reads {read}{_span(record, source, clips)}{_pieces(clips)}{_context(config)}."


def _span(record: Record, source: Mapping[str, Any], clips: Mapping[str, Any]) -> str:
    rates = {float(rate) for rate in ([source["fps"]] if source.get("fps") else record.get("fps") or ())}
    stride = clips.get("stride")
    if len(rates) != 1 or stride is None:
        return ""
    return f", spread over at most {((clips['length'] - 1) * stride + 1) / rates.pop():.0f} seconds"


def _pieces(clips: Mapping[str, Any]) -> str:
    count = clips.get("clips")
    if count is None:
        return ""
    return (
        " (one such piece of every recording)"
        if count == 1
        else f" (up to {count} such pieces of every recording)"
    )


def _context(config: Mapping[str, Any]) -> str:
    network = (config.get("model") or {}).get("network") or {}
    kind = str((network.get("context") or {}).get("_target_"))
    if kind.endswith(".CalibratedContext"):
        return ", together with the person's earlier recordings and their known scores"
    if kind.endswith(".EnrolmentContext"):
        return ", together with the person's other recordings, whose scores it is not told"
    return ""
