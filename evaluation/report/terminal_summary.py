"""The block of text that ends a command: what was asked, what came out, where it lies, what to type next."""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from evaluation.baselines.line_names import chief_lines
from evaluation.metrics.catalog import METRICS
from evaluation.metrics.head_ranking import heads_apart
from evaluation.report.first_page.people import met_again
from evaluation.report.headline import number
from evaluation.report.run_facts import trial

Row = tuple[str, str]

_SHOWN = ("auc", "mae", "ccc")  # one of ranks, one of points, one of both; our choice
_PARTS = {"train": "training", "val": "validation", "test": "test"}
_SIMPLE = ("constant", "nuisance", "identity", "traits", "last_score", "mean_score")
_ABSENT = {"constant", "identity", "nuisance"}  # lines whose absence has a reason worth a row


def block(title: str, rows: Sequence[Row]) -> str:
    """Lines of names and texts below a title, the texts under each other; a text may have several lines."""
    width = max((len(name) for name, _ in rows), default=0)
    lines = [title]
    for name, text in rows:
        first, *others = text.split("\n")
        lines += [f"  {name:<{width}}  {first}".rstrip(), *(f"  {'':<{width}}  {other}" for other in others)]
    return "\n".join(lines).replace("\N{MINUS SIGN}", "-")  # a terminal may know ASCII alone


def asked_rows(record: Mapping[str, Any]) -> list[Row]:
    """What a command was asked for, from the content of its `manifest.json`."""
    config = record.get("config") or {}
    name = record.get("experiment") or config.get("experiment_name")
    seed = "" if record.get("seed") is None else f", seed {record['seed']}"
    rows = [("experiment", f"{name or '-'}{seed}")] if name or seed else []
    if why := trial(record):
        rows.append(("trial run", why))
    known = [str(record["data"])] if record.get("data") else []
    if record.get("synthetic"):
        known = ["SYNTHETIC persons", *(one for one in known if one not in ("synthetic", "manifest"))]
    if scale := (config.get("data") or {}).get("scale"):
        known.append(f"{scale['name']} ({scale['low']} to {scale['high']})")
    if known:
        rows.append(("data", ", ".join(known)))
    splits = list((record.get("parts") or {}).values())
    if len(splits) == 1:  # of several, each says its own
        rows.append(("recordings", parts_text(splits[0])))
    return rows


def caution_rows(record: Mapping[str, Any], metrics: Mapping[str, Any]) -> list[Row]:
    """That the network knows tested recordings, in the words of the report's first page; mostly none.

    Args:
        record: Content of `manifest.json`.
        metrics: Content of `metrics.json`.
    """
    seen = record.get("seen_in_training")
    return [("caution", met_again(seen, metrics["test"]["counts"]["recordings"]))] if seen else []


def parts_text(parts: Mapping[str, Mapping[str, int]]) -> str:
    """How many recordings and persons the parts of a split hold, in words."""
    return ", ".join(
        f"{_PARTS.get(name, name)} {size['recordings']} of {size['persons']} persons"
        for name, size in parts.items()
    )


def result_rows(metrics: Mapping[str, Any]) -> list[Row]:
    """The test result beside its reference lines, a column a metric, and how it varies over folds.

    Args:
        metrics: Content of `metrics.json`.
    """
    test, reference = metrics["test"], metrics.get("reference") or {}
    names = _told(test)
    if not names and test.get("reason"):
        return _of_hidden(test, metrics.get("val") or {})
    if not names:
        return [("test", "no metric is defined on it")]
    lines = [("test", test), *((name, reference.get(name)) for name in _SIMPLE)]
    lines += [(f"{name} {reading}", line) for name, (reading, line) in chief_lines(reference).items()]
    oracles = [(f"oracle {kind}", line) for kind, line in (reference.get("oracle") or {}).items()]
    cells = {name: [_cell(line, metric) for metric in names] for name, line in (*lines, *oracles) if line}
    widths = [max(len(row[column]) for row in cells.values()) for column in range(len(names))]
    reasons = reference.get("reasons") or {}
    rows = []
    for name, line in (*lines, *oracles):
        if line:
            texts = (f"{text:<{width}}" for text, width in zip(cells[name], widths, strict=True))
            note = "(knows the truth: no reference)" if name.startswith("oracle") else ""
            rows.append((name, f"{'   '.join(texts)}   {note}".rstrip()))
        elif name in _ABSENT and reasons.get(name):
            rows.append((name, f"none: {reasons[name]}"))
    apart = heads_apart(metrics.get("ranked_by_heads"))
    return [*rows, *_fold_rows(metrics, names), *([] if apart is None else [("note", apart)])]


def _told(line: Mapping[str, Any]) -> list[str]:
    """The first metrics that have a value."""
    names = [name for name in (*_SHOWN, *METRICS) if _value(line, name) is not None]
    return list(dict.fromkeys(names))[: len(_SHOWN)]


def _of_hidden(test: Mapping[str, Any], val: Mapping[str, Any]) -> list[Row]:
    """Rows of a run whose test part has no labels: what validation says, which chose the checkpoint."""
    rows = [("test", f"predicted, not measured: {test['reason']}")]
    if names := _told(val):
        rows.append(("validation", f"{'   '.join(_cell(val, name) for name in names)}   (optimistic)"))
    return rows


def _fold_rows(metrics: Mapping[str, Any], names: Sequence[str]) -> Iterator[Row]:
    for kind in ("folds", "repeats"):
        found = metrics.get(kind) or {}
        told = [
            f"{_label(name)} {found[name]['mean']:.2f} (SD {found[name]['sd']:.2f})"
            for name in names
            if found.get(name, {}).get("mean") is not None and math.isfinite(found[name]["sd"])
        ]
        if told:
            count = len(found[names[0]]["values"])
            yield kind, f"mean of {count}: {', '.join(told)}"


def result_line(metrics: Mapping[str, Any]) -> str:
    """The test result in a few words, as in `AUC 0.78 [0.70, 0.84], MAE 8.40 [7.06, 9.85]`."""
    known = [name for name in _SHOWN if _value(metrics["test"], name) is not None]
    text = ", ".join(_cell(metrics["test"], name) for name in known) or "no metric is defined"
    return text.replace("\N{MINUS SIGN}", "-")


def _cell(line: Mapping[str, Any], name: str) -> str:
    return f"{_label(name)} {number(line[name])}" if _value(line, name) is not None else f"{_label(name)} -"


def _label(name: str) -> str:
    return METRICS[name].label


def _value(line: Mapping[str, Any] | None, name: str) -> float | None:
    value: float | None = ((line or {}).get(name) or {}).get("value")
    return value
