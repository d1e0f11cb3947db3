"""The audit page: probes and audits of a run, as one self-contained HTML file."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from evaluation.audit.nuisance import QUESTIONS
from evaluation.audit.slices import SHOWN, flatten
from evaluation.report import audit_figures
from evaluation.report.page import Section, write_page

FEATURES = {
    "plain": "depression features before RARM",
    "relieved": "the same, relieved by the context",
    "embedding": "embedding after RARM",
    "personality": "personality features",
}

QUESTION_LABELS = {
    "label_auc": "AUC for the label",
    "label": "Spearman, label",
    "prediction": "Spearman, prediction",
    "error": "Spearman, error",
}


LIMITS = (
    "A linear probe that finds nothing shows that nothing is there for a linear reader, not that nothing is "
    "there. An audit of the test split is a look at the test split: what is changed because of it must be "
    "tested on other people."
)
SUBTITLE = (
    "Probes and shortcuts on the test split · intervals over persons (95 %) · the results are in report.html"
)


def write_audit(path: Path, *, audit: Mapping[str, Any], title: str, notes: Sequence[str] = ()) -> None:
    """Write `audit.html` from the content of `audit.json`.

    Args:
        path: file to write.
        audit: `identity, depression, nuisance, labels, sampling, slices, coverage`, each numbers or a
            `reason`.
        title: of the page.
        notes: remarks below the title.
    """
    builders = (_identity, _depression, _nuisance, _labels, _sampling, _slices, _coverage)
    sections = [build(audit[build.__name__[1:]]) for build in builders if build.__name__[1:] in audit]
    write_page(
        path, title=f"Audit of {title}", subtitle=SUBTITLE, sections=sections, limits=LIMITS, notes=notes
    )


def _identity(found: Mapping[str, Any]) -> Section:
    text = (
        "Logistic regression names the person on visits that it has not seen. A network that suppresses "
        "habits should know the person before RARM and less after it."
    )
    if "left_out" not in found:
        return Section("identity", "Who is it?", text, remarks=[found["reason"]])
    left = found["left_out"]
    remarks = [
        f"{found['persons']} persons, {found['recordings']} recordings; left out: "
        f"{left['persons_with_one_visit']} persons with one visit, "
        f"{left['recordings_of_unknown_persons']} recordings of unknown persons"
    ]
    if "reason" in found:
        return Section("identity", "Who is it?", text, remarks=[*remarks, found["reason"]])
    rows = [
        (FEATURES[name], estimate, found["difference"].get(name))
        for name, estimate in found["accuracy"].items()
    ]
    remarks.append(
        f"Chance, the best constant answer, is {found['chance']:.3f}. Each half of the visits was predicted "
        f"as if the other did not exist; {found['with_context']:.0%} of the recordings had a context"
    )
    return Section(
        "identity",
        "Who is it?",
        text,
        plot=audit_figures.forest(
            [(FEATURES[name], estimate) for name, estimate in found["accuracy"].items()],
            label="accuracy on another visit",
            line=found["chance"],
        ),
        columns=("Features", "Accuracy", "Plain minus this"),
        rows=rows,
        remarks=remarks,
    )


def _depression(found: Mapping[str, Any]) -> Section:
    title, text = (
        "Is depression in the personality features?",
        "A linear reader, fitted on the training people, reads the labels of the test people from each "
        "feature. What the personality branch knows of severity, suppression may take away with the habit.",
    )
    if "reason" in found:
        return Section("depression", title, text, remarks=[found["reason"]])
    rows = [
        (FEATURES[name], *(reading.get(metric) for metric in ("auc", "pearson", "mae")))
        for name, reading in found.items()
    ]
    remarks = sorted(
        {part["reason"] for reading in found.values() for part in reading.values() if "value" not in part}
    )
    return Section(
        "depression",
        title,
        text,
        plot=audit_figures.forest(
            [(FEATURES[name], reading["auc"]) for name, reading in found.items() if "auc" in reading],
            label="AUC of the linear reader",
            line=0.5,
        ),
        columns=("Features", "AUC", "Pearson r", "MAE"),
        rows=rows,
        remarks=remarks,
    )


def _nuisance(found: Mapping[str, Any]) -> Section:
    title = "Does the model take a shortcut?"
    text = (
        "How the video was made against the label, the prediction (partial on the label) and the absolute "
        "error. A prediction that follows a column beyond the label has found a shortcut; a label that "
        "follows it offers one: an AUC of the label near 0 or 1 says that the column alone gives it away. "
        "Red rows are flagged after Holm's correction over the columns."
    )
    if "reason" in found:
        return Section("nuisance", title, text, remarks=[found["reason"]])
    questions = [q for q in QUESTIONS if any(q in answers for answers in found["columns"].values())]
    flags = {
        name: [QUESTION_LABELS[q] for q in questions if (answers.get(q) or {}).get("flagged")]
        for name, answers in found["columns"].items()
    }
    rows = [
        (name, *(answers.get(q) for q in questions), ", ".join(flags[name]) or "none")
        for name, answers in found["columns"].items()
    ]
    return Section(
        "nuisance",
        title,
        text,
        plot=audit_figures.panels(
            [
                (name, {QUESTION_LABELS[q]: answers[q] for q in questions if q in answers}, bool(flags[name]))
                for name, answers in found["columns"].items()
            ],
            lines={QUESTION_LABELS[q]: QUESTIONS[q] for q in questions},
        ),
        columns=("Column", *(QUESTION_LABELS[q] for q in questions), "Flagged"),
        rows=rows,
        remarks=_grouped(found["reasons"]),
    )


def _labels(found: Mapping[str, Any]) -> Section:
    title = "Could permuted labels do as well?"
    text = (
        "The test metric against labels that were dealt to other persons, all of a person together. A small "
        "p value says that the predictions know something about the labels of these very persons."
    )
    if "reason" in found:
        return Section("labels", title, text, remarks=[found["reason"]])
    rows = [
        (_name(name), f"{test['value']:.2f}", "{:.2f} to {:.2f}".format(*test["null"]), f"{test['p']:.4f}")
        for name, test in found.items()
    ]
    fixed = max(test["fixed_persons"] for test in found.values())
    remarks = (
        [f"{fixed} persons are alone with their number of recordings and keep their labels"] if fixed else []
    )
    columns = ("Metric", "Observed", "Permuted, 95 %", "p")
    return Section("labels", title, text, columns=columns, rows=rows, remarks=remarks)


def _sampling(found: Mapping[str, Any]) -> Section:
    title = "Are the test people of the same kind?"
    text = (
        "What is known of the people, training against test. A test set of other people answers another "
        "question: read its result as one about them."
    )
    if "reason" in found:
        return Section("sampling", title, text, remarks=[found["reason"]])
    rows = [
        (
            entry["column"],
            _composition(entry["train"]),
            _composition(entry["test"]),
            f"{entry['difference']:.2f}",
            f"{entry['p_holm']:.3f}",
            "yes" if entry["differs"] else "no",
        )
        for entry in found["columns"]
    ]
    columns = ("Column", "Training people", "Test people", "Difference", "p (Holm)", "Differs")
    return Section("sampling", title, text, columns=columns, rows=rows)


def _composition(value: float | Mapping[str, float]) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {share:.0%}" for name, share in value.items())
    return f"{value:.3g}"


def _slices(found: Mapping[str, Any]) -> Section:
    groups = flatten(found)
    shown = [
        m for m in (*SHOWN, "coverage") if any((g.get(m) or {}).get("value") is not None for g in groups)
    ]
    rows = [
        (
            f"{g['column']}: {g['group']}",
            f"{g['recordings']} / {g['persons']}",
            *(g.get(m) for m in shown),
            *(g.get("difference", {}).get(m) for m in shown[:1]),
        )
        for g in groups
    ]
    reasons = _grouped({column: part["reason"] for column, part in found.items() if "reason" in part})
    reasons += [f"{g['column']} {g['group']}: {g['reason']}" for g in groups if "reason" in g]
    reasons += [
        f"{g['column']} {g['group']}, {m}: {g[m]['reason']}"
        for g in groups
        for m in shown
        if (g.get(m) or {}).get("reason")
    ]
    return Section(
        "slices",
        "For whom does it work?",
        "Each group, and its gap to all other recordings that the same column describes. Many groups "
        "are looked at: one interval beside zero among twenty is expected.",
        plot=audit_figures.slice_forest(groups, shown),
        columns=(
            "Group",
            "Recordings / persons",
            *(_name(m) for m in shown),
            *(f"{_name(m)}, gap" for m in shown[:1]),
        ),
        rows=rows,
        remarks=reasons,
    )


def _coverage(found: Mapping[str, Any]) -> Section:
    title, text = (
        "Do the intervals keep their promise?",
        "Conformal intervals of the score, learned on validation, met by the test split.",
    )
    if "reason" in found:
        return Section("coverage", title, text, remarks=[found["reason"]])
    row = (f"{found['promised']:.2f}", found["reached"], f"{found['width']:.1f}", str(found["recordings"]))
    columns = ("Promised", "Reached", "Mean width (points)", "Recordings")
    return Section("coverage", title, text, columns=columns, rows=[row])


def _grouped(reasons: Mapping[str, str]) -> list[str]:
    """One line per reason with all that it concerns."""
    names: dict[str, list[str]] = {}
    for name, reason in reasons.items():
        names.setdefault(reason, []).append(name)
    return [f"{', '.join(concerned)}: {reason}" for reason, concerned in names.items()]


def _name(metric: str) -> str:
    return {"auc": "AUC", "mae": "MAE", "pearson": "Pearson r"}.get(metric, metric.capitalize())
