"""The report of a run, as one self-contained HTML file."""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from evaluation.audit.slices import SHOWN
from evaluation.baselines.line_names import FAMILIES, ORACLES, SIMPLE, chief_lines, family_lines
from evaluation.metrics.catalog import METRICS
from evaluation.metrics.head_ranking import heads_apart
from evaluation.report import figures
from evaluation.report.captions import CAPTIONS, IN_FIGURE
from evaluation.report.figures import AttentionExample
from evaluation.report.first_page.first_page import first_page
from evaluation.report.headline import judge
from evaluation.report.learning_curves import explain_choice, remarks_on_training, training_curves
from evaluation.report.page import environment, header
from evaluation.report.run_facts import trial
from evaluation.report.sections.change_section import change_section
from evaluation.report.sections.data_section import data_rows
from evaluation.report.sections.leak_section import leak_section
from evaluation.report.sections.provenance_section import provenance_rows
from evaluation.tables.clusters import PERSONS
from evaluation.tables.predictions import KNOWN_VISITS
from evaluation.uncertainty.confidence_intervals import MIN_PERSONS

_MAIN_ORACLES = ("raw", "relative", "both + earlier scores")  # in the figure; the table has all
_MANY = 4  # names of metrics in one remark


def write_report(
    path: Path,
    *,
    metrics: Mapping[str, Any],
    predictions: pd.DataFrame,
    manifest: Mapping[str, Any],
    history: pd.DataFrame | None = None,
    attention: Sequence[AttentionExample] | None = None,
    notes: Sequence[str] = (),
    thresholds: Mapping[str, Any] | None = None,
    changes: pd.DataFrame | None = None,
    groups: Mapping[str, Any] | None = None,
    persons: bool = True,
) -> None:
    """Write `report.html`: a page in plain words; verdict, metrics, reference lines, plots, data, provenance.

    Args:
        path: file to write.
        metrics: content of `metrics.json` (see `summary.metrics_json`).
        predictions: recording table, or `predictions.csv` as read; the rows with split "test" are plotted,
            or all rows where no split has that name.
        manifest: content of the run's `manifest.json`; `skipped` (recording -> reason) and `config` are
            shown apart.
        history: one row per epoch or step: `epoch, train/loss, val/loss, val/auc, ...`.
        attention: clips for the filmstrips.
        notes: remarks shown below the headline, e.g. that a split could not be audited.
        thresholds: `Threshold.as_dict()` of the decision threshold.
        changes: changes between visits, see `evaluation.change.change_scores`.
        groups: results by group, see `evaluation.audit.slices`, where an audit was asked for.
        persons: False leaves out the plots in which a mark stands for one recording or person.

    Raises:
        ValueError: there are no predictions to show.
    """
    if predictions.empty:
        raise ValueError(f"{path}: no predictions to report")
    test = predictions[predictions["split"] == "test"] if "split" in predictions else predictions
    test = predictions if test.empty else test
    cut = (thresholds or {}).get("value")
    remarks = remarks_on_training(history, chosen=(manifest.get("chosen") or {}).get("epoch"))
    rows = data_rows(manifest, predictions)
    given: Any = {"predictions": predictions, "record": manifest, "rows": rows, "by_group": groups}
    page = environment().get_template("report.html").render(
        **header(str(manifest.get("title") or manifest.get("experiment") or "Evaluation report"), manifest),
        **_numbers(metrics),
        **_figures(test, metrics, manifest, history, cut, attention or (), persons),
        first=first_page(metrics=metrics, threshold=thresholds, remarks=remarks, **given),
        persons=persons,
        verdict=judge(metrics, trial=trial(manifest) is not None),
        notes=[*notes, *remarks, *_own_notes(metrics, manifest)],
        about=list(manifest.get("data_notes") or ()),
        errata=list(manifest.get("errata") or ()),
        overlap=_overlap(manifest),
        threshold=thresholds,
        leaks=leak_section(manifest["leak_audit"]) if manifest.get("leak_audit") else None,
        changes=change_section(metrics["change"], changes) if metrics.get("change") else None,
        splits=rows,
        skipped=dict(manifest.get("skipped") or {}),
        provenance=provenance_rows(manifest),
        packages=dict(manifest.get("packages") or {}),
        config=json.dumps(manifest["config"], indent=2, default=str) if manifest.get("config") else "",
    )  # fmt: skip
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(page, encoding="utf-8")


def _numbers(metrics: Mapping[str, Any]) -> dict[str, Any]:
    """Tables of metrics, of reference lines and of oracles."""
    reference, lines = metrics.get("reference") or {}, _line_rows(metrics)
    return {
        "over": _over(metrics),
        "metric_rows": _metric_rows(metrics),
        "remarks": _remarks(metrics),
        "strata": _strata(metrics),
        "known_visits": _groups(metrics, KNOWN_VISITS),
        "strata_reason": (metrics.get("discrepancy") or {}).get("reason"),
        "hidden": bool(metrics["test"].get("reason")),
        "has_persons": "by_subject" in metrics["test"],
        "has_val": bool(metrics.get("val")),
        "reference_columns": [METRICS[m].label for m in figures.defined(forest_lines(metrics).values())],
        "reference_rows": [row for row in lines if not row["oracle"] and not row["series"]],
        "series_rows": [row for row in lines if row["series"]],
        "oracle_rows": [row for row in lines if row["oracle"]],
        "reasons": _reasons(reference.get("reasons") or {}),
        "columns": (reference.get("nuisance") or {}).get("columns", []),
    }


def _figures(
    test: pd.DataFrame,
    metrics: Mapping[str, Any],
    manifest: Mapping[str, Any],
    history: pd.DataFrame | None,
    threshold: float | None,
    attention: Sequence[AttentionExample],
    persons: bool,
) -> dict[str, Any]:
    """Plots with their captions, and the questions that they answer with the place of each."""
    constant = ((metrics.get("reference") or {}).get("constant") or {}).get("prediction")
    choice: Any = {"chosen": (manifest.get("chosen") or {}).get("epoch"), "monitor": _monitor(manifest)}
    warmup = float(manifest.get("warmup_epochs") or 0.0)
    over = _over(metrics)
    drawn = {"constant": constant is not None, "threshold": threshold is not None}
    told = {name: text if drawn[name] else "" for name, text in IN_FIGURE.items()}
    captions = {
        name: one._replace(text=one.text.format_map(told).replace("over persons", f"over {over}"))
        for name, one in CAPTIONS.items()
    }
    strips = [(example, figures.filmstrip(example)) for example in attention]
    plots = {
        "references": figures.reference_forest(forest_lines(metrics)),
        "truth": figures.predictions_against_truth(test, constant=constant) if persons else None,
        "roc": figures.roc(test, threshold=threshold),
        "calibration": figures.calibration(test),
        "training": None if history is None else training_curves(history, **choice, warmup=warmup),
        "trajectories": figures.trajectories(test) if persons else None,
        "strips": strips[0][1] if strips else None,
    }
    if history is not None and plots["training"]:
        captions["training"] = captions["training"]._replace(text=explain_choice(history, **choice))
    questions = [(f"#plot-{key}", one.question) for key, one in captions.items() if plots[key]]
    return {"plots": plots, "captions": captions, "questions": questions, "strips": strips}


def _over(metrics: Mapping[str, Any]) -> str:
    """What intervals are computed over, in words."""
    return str(metrics["test"].get("intervals_over") or PERSONS)


def _own_notes(metrics: Mapping[str, Any], manifest: Mapping[str, Any]) -> list[str]:
    """Remarks that follow from the numbers themselves."""
    notes = []
    counts = metrics["test"].get("counts", {})
    if counts.get("unknown_subject"):
        notes.append(
            f"{counts['unknown_subject']} test recordings have no known person: the split cannot be audited "
            "for shared persons, and intervals treat each as a person of its own, which makes them narrow."
        )
    if metrics["test"].get("reason"):
        notes.append(
            f"Test labels are hidden or missing: the {counts['recordings']} recordings of the test part are "
            "predicted in predictions.csv, and how good these predictions are is not known. The numbers "
            "below are of the validation part, which chose checkpoint and threshold, hence optimistic."
        )
    if "clusters" in counts:
        notes.append(
            f"Intervals are over the {counts['clusters']} {_over(metrics)} that were tested, not over "
            "persons, as those of a group resemble each other. Permutation tests of audits are over persons."
        )
    if 0 < counts.get("subjects", 0) < MIN_PERSONS:
        notes.append(
            f"Only {counts['subjects']} persons were tested: below {MIN_PERSONS} intervals may miss the "
            "truth too often."
        )
    if counts.get("unmeasured"):
        names = [row["recording_id"] for row in metrics.get("unmeasured", ()) if row["split"] == "test"]
        notes.append(
            f"{counts['unmeasured']} test recordings hold no measurement (no face was found) and are neither "
            f"predicted nor scored{': ' if names else ''}{', '.join(names[:5])}"
            f"{' ...' if len(names) > 5 else ''}. predictions.csv has their share of valid frames."
        )
    if (apart := heads_apart(metrics.get("ranked_by_heads"))) is not None:
        notes.append(apart)
    notes += _repeats(metrics)
    for split, remarks in (manifest.get("split_notes") or {}).items():
        notes += [f"Split {split}: {remark}" for remark in remarks]
    looks = manifest.get("test_looks") or 0
    if looks > 1:
        notes.append(
            f"These test recordings have been looked at {looks} times with this run; each look invites "
            "choosing by it."
        )
    return notes


def _repeats(metrics: Mapping[str, Any]) -> list[str]:
    """How far the repeats of a cross-validation lie apart."""
    found = metrics.get("repeats") or {}
    shown = [
        f"{METRICS[n].label} {found[n]['mean']:.2f} (sd {found[n]['sd']:.3f})"
        for n in ("auc", "mae")
        if n in found and found[n]["mean"] is not None
    ]
    if not shown:
        return []
    count = len(next(iter(found.values()))["values"])
    return [
        f"Everybody was tested once in each of {count} repeats with other folds. Metrics are means over "
        f"repeats and intervals cover persons; over repeats: {', '.join(shown)}. Plots show mean predictions."
    ]


def _overlap(manifest: Mapping[str, Any]) -> Mapping[str, Mapping[str, int]]:
    """Part -> part -> persons in both; nothing where the split keeps persons apart."""
    persons: Mapping[str, Mapping[str, int]] = (manifest.get("person_overlap") or {}).get("persons") or {}
    shared = any(count for a, row in persons.items() for b, count in row.items() if a != b)
    return persons if shared else {}


def _metric_rows(metrics: Mapping[str, Any]) -> list[dict[str, Any]]:
    test, val = metrics["test"], metrics.get("val") or {}
    persons = test.get("by_subject", {})
    return [
        {
            "label": metric.label,
            "meaning": metric.meaning,
            "test": test.get(name),
            "persons": persons.get(name),
            "val": val.get(name),
        }
        for name, metric in METRICS.items()
        if name in (val if test.get("reason") else test)
    ]


def _strata(metrics: Mapping[str, Any]) -> list[dict[str, Any]]:
    """All tested recordings, and those of low and of high symptom discrepancy."""
    rows = _groups(metrics, "discrepancy")
    return [*rows[:1], *reversed(rows[1:])]


def _groups(metrics: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    """All tested recordings, and those of every group; nothing where there are no groups."""
    groups = (metrics.get(name) or {}).get("groups") or []
    if not groups:
        return []
    counts = metrics["test"].get("counts", {})
    full = metrics["test"] | {key: counts.get(key) for key in ("recordings", "positive")}
    rows = [("all", full | {"persons": counts.get("subjects")})]
    rows += [(group["group"], group) for group in groups]
    return [
        {"name": label, **{key: row.get(key) for key in ("recordings", "persons", "positive", "reason")}}
        | {"values": [row.get(metric) for metric in SHOWN]}
        for label, row in rows
    ]


def _remarks(metrics: Mapping[str, Any]) -> list[str]:
    """Why numbers or intervals are missing or may fail, each once with the metrics that it concerns."""
    concerned: dict[str, dict[str, list[str]]] = {}
    for place, part in (
        ("test", metrics["test"]),
        ("persons", metrics["test"].get("by_subject") or {}),
        ("validation", metrics.get("val") or {}),
    ):
        for name, metric in METRICS.items():
            estimate = part.get(name) or {}
            for remark in (estimate.get("reason"), estimate.get("warning")):
                if remark:
                    concerned.setdefault(remark, {}).setdefault(metric.label, []).append(place)
    return [f"{_who(places)}: {remark}" for remark, places in concerned.items()]


def _who(places: Mapping[str, Sequence[str]]) -> str:
    """Metrics by name with their columns; of many their number, and the columns of all."""
    if len(places) > _MANY:
        columns = dict.fromkeys(column for own in places.values() for column in own)
        return f"{len(places)} metrics ({', '.join(columns)})"
    return ", ".join(f"{label} ({', '.join(own)})" for label, own in places.items())


def forest_lines(metrics: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Summaries of the lines of the forest by name, the model first, the main oracles last."""
    reference = metrics.get("reference") or {}
    lines = {"model": metrics["test"]} | {name: reference[name] for name in SIMPLE if reference.get(name)}
    lines |= {f"{name} {reading}": line for name, (reading, line) in chief_lines(reference).items()}
    return lines | _oracles(reference, _MAIN_ORACLES)


def _oracles(reference: Mapping[str, Any], kinds: Iterable[str]) -> dict[str, Mapping[str, Any]]:
    """Summaries of oracles by line name."""
    oracle = reference.get("oracle") or {}
    nested = {f"oracle {kind}": oracle[kind] for kind in kinds if oracle.get(kind)}
    return nested or ({"oracle": oracle} if oracle else {})


def _reasons(reasons: Mapping[str, str]) -> dict[str, str]:
    """Why lines are missing: the lines that a reason holds for, and the reason."""
    names: dict[str, list[str]] = {}
    for name, reason in reasons.items():
        names.setdefault(reason, []).append(name.replace("_", " "))
    return {" or ".join(lacking): reason for reason, lacking in names.items()}


def _line_rows(metrics: Mapping[str, Any]) -> list[dict[str, Any]]:
    """A row a line; those on series in all their readings, and every oracle."""
    lines, reference = forest_lines(metrics), metrics.get("reference") or {}
    shown = figures.defined(lines.values())
    lines = {name: line for name, line in lines.items() if name in ("model", *SIMPLE)}
    lines |= {f"{name} {reading}": line for name, reading, line in family_lines(reference)}
    lines |= _oracles(reference, ORACLES)
    rows = []
    for name, line in lines.items():
        difference = line.get("difference") or {}
        rows.append(
            {
                "label": figures.LINES[name][0],
                "oracle": name in figures.ORACLES,
                "series": name.partition(" ")[0] in FAMILIES,
                "color": figures.LINES[name][1],
                "values": [line.get(metric) for metric in shown],
                "differences": [difference.get(metric) for metric in shown if metric != "ccc"],
                "note": line.get("note"),
                "reads": ORACLES.get(name.removeprefix("oracle "), ("", ""))[1],
            }
        )
    return rows


def _monitor(manifest: Mapping[str, Any]) -> str | None:
    """The metric that chose the checkpoint."""
    name = ((manifest.get("config") or {}).get("selection") or {}).get("monitor")
    return None if name is None else str(name)
