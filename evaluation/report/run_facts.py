"""What a reader must know of a run at once, in words: data, questionnaire, persons, clips, network, time."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

Record = Mapping[str, Any]  # content of a run's `manifest.json`

SYNTHETIC = (
    "Synthetic data: persons and recordings are made up, all or some of them. Results say how a method "
    "behaves where the truth is known; they say nothing about patients."
)
_LIMITS = (
    "fast_dev_run", "overfit_batches", "limit_train_batches", "limit_val_batches", "limit_test_batches",
    "limit_predict_batches",
)  # fmt: skip
_PARTS = {"train": "Training", "val": "Validation", "test": "Test"}


def page_title(title: str, record: Record) -> str:
    """The title of a page, which says first where data are made up and where leaks were accepted."""
    words = ["SYNTHETIC"] if record.get("synthetic") else []
    words += ["LEAKS ON PURPOSE"] if record.get("leaks_on_purpose") else []
    return ": ".join([*words, title])


def data_set(record: Record) -> str:
    """Name of the data and of their questionnaires, for one line of text; made-up data are named as such."""
    name = str(record.get("data") or "unnamed")
    if record.get("synthetic"):
        name = f"{name} (SYNTHETIC: made up)"
    return ", ".join([name, *([text] if (text := questionnaires(record)) else [])])


def questionnaires(record: Record) -> str:
    """Each questionnaire with its range and the total from which a label is positive."""
    return "; ".join(
        f"{one['name']}, {one['low']} to {one['high']} points, positive from {one['cut_off']}"
        for one in record.get("questionnaires") or ()
    )


def trial(record: Record) -> str | None:
    """Why a run is a trial and no result, as `debug=fast` makes it; None where it is a whole run."""
    trainer = record.get("trained_with") or (record.get("config") or {}).get("trainer") or {}
    limits = {name: trainer[name] for name in _LIMITS if _limits(name, trainer.get(name))}
    if not limits:
        return None
    named = [word for word in record.get("argv") or () if str(word).startswith("debug=")]
    set_to = [f"trainer.{name}={value:g}" for name, value in limits.items()]
    if trainer.get("max_epochs") is not None:
        set_to.append(f"trainer.max_epochs={trainer['max_epochs']}")
    return f"{', '.join([*named, *set_to])}. It shows that every stage works; its numbers are no result"


def _limits(name: str, value: Any) -> bool:
    """Whether a setting of the trainer leaves batches out: an int counts batches, a float is their share."""
    if name in ("fast_dev_run", "overfit_batches"):
        return bool(value)
    return value is not None and not (isinstance(value, float) and value == 1.0)


def glance(record: Record) -> list[tuple[str, str]]:
    """Label and text of every fact that is known."""
    rows = [
        ("Data", data_set({**record, "questionnaires": ()}) if record.get("data") else ""),
        ("Questionnaire", questionnaires(record)),
        *_parts(record.get("parts") or {}),
        ("Clips", _clips(record)),
        ("Recorded at", _rates(record.get("fps"))),
        ("Network", _network(record)),
        ("Weights", _weights(record)),
        ("Time", f"{_duration(record['wall_s'])} until this page" if record.get("wall_s") else ""),
    ]
    return [(label, text) for label, text in rows if text]


def _network(record: Record) -> str:
    """Its class, that of its depression branch's trunk, and how many parameters it has."""
    config = ((record.get("config") or {}).get("model") or {}).get("network") or {}
    trunk = (config.get("depression") or {}).get("trunk") or {}
    names = [str(node["_target_"]).rpartition(".")[2] for node in (config, trunk) if "_target_" in node]
    size = f"{record['parameters']:,} parameters" if record.get("parameters") else ""
    return ", ".join(part for part in (" with ".join(names), size) if part)


def _parts(by_split: Mapping[str, Mapping[str, Mapping[str, int]]]) -> list[tuple[str, str]]:
    """Persons, recordings and positives of each part; of folds the lowest and highest number."""
    rows = []
    for part, label in _PARTS.items():
        counts = [split[part] for split in by_split.values() if split.get(part, {}).get("recordings")]
        if not counts:
            continue
        words = [
            f"{_span(count[name] for count in counts)} {word}"
            for name, word in (("persons", "persons"), ("recordings", "recordings"), ("positive", "positive"))
            if all(name in count for count in counts)
        ]
        each = f" (each of {len(counts)} folds)" if len(counts) > 1 else ""
        rows.append((label, f"{', '.join(words)}{each}"))
    return rows


def _clips(record: Record) -> str:
    """Length and content of a clip, and how many clips of a recording are evaluated."""
    config = record.get("config") or {}
    data = config.get("data") or {}
    module = data.get("module") or {}
    lengths = [(module.get(name) or {}).get("length") for name in ("train_clips", "eval_clips")]
    if None in lengths or "trainer" not in config:  # an analysis without a network cuts no clips
        return ""
    source = module.get("source") or {}
    if str(source.get("_target_")).endswith(".TokenClips"):
        return _tokens(record, channels=data.get("channels"))
    video = source.get("video")
    channels = len(source["channels"]) if source.get("channels") else data.get("channels")
    unit = (
        f"frames of {video['height']} x {video['width']} pixels" if video else f"rows of {channels} channels"
    )
    text = f"{_span(lengths)} {unit}"
    count = module["eval_clips"].get("clips")
    return (
        text if count is None else f"{text}; {count} clip{'s' if count > 1 else ''} a recording in evaluation"
    )


def _tokens(record: Record, *, channels: Any) -> str:
    """What a clip of tokens is: a window of the grid that `encode.py` wrote down in its store."""
    grid = ((record.get("preprocessing") or {}).get("settings") or {}).get("grid") or {}
    if not {"length", "stride"} <= set(grid):
        return f"1 window of tokens of {channels} channels"
    return f"1 window of {grid['length']} frames, {grid['stride']} apart, in tokens of {channels} channels"


def _weights(record: Record) -> str:
    """Which of two sets of weights the numbers are of; nothing where the run kept one."""
    ema = ((record.get("config") or {}).get("callbacks") or {}).get("ema") or {}
    decay = f", decay {ema['decay']:g}" if "decay" in ema else ""
    if record.get("weights") == "raw":
        return f"those of the last step (weights=raw); validation looked at their average (EMA{decay})"
    return f"their average over steps (EMA{decay}), as validated" if record.get("weights") == "ema" else ""


def _rates(fps: Sequence[float] | None) -> str:
    return "" if fps is None else f"{_span(f'{rate:g}' for rate in fps)} frames per second"


def _span(values: Iterable[Any]) -> str:
    """`60`, or `60 to 64` where they differ."""
    known = list(values)
    ends = (min(known), max(known)) if not isinstance(known[0], str) else (known[0], known[-1])
    return str(ends[0]) if ends[0] == ends[1] else f"{ends[0]} to {ends[1]}"


def _duration(seconds: float) -> str:
    """`45 s`, `12 min` or `3 h 20 min`."""
    minutes = round(seconds / 60)
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h {minutes % 60} min"
