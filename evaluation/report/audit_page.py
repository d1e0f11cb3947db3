"""The audit page: probes and audits of a run, as one self-contained HTML file."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from evaluation.audit.nuisance import QUESTIONS
from evaluation.audit.slices import SHOWN, flatten
from evaluation.metrics.catalog import RECORDS
from evaluation.report.forest import forest, panels
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
    "tested on other persons."
)
SUBTITLE = (
    "Probes and shortcuts on the test split · intervals over persons (95 %) · the results are in report.html"
)


def write_audit(
    path: Path,
    *,
    audit: Mapping[str, Any],
    title: str,
    notes: Sequence[str] = (),
    record: Mapping[str, Any] | None = None,
) -> None:
    """Write `audit.html` from the content of `audit.json`.

    Args:
        path: file to write.
        audit: `identity, depression, nuisance, labels, sampling, slices, coverage`, each numbers or a
            `reason`.
        title: of the page.
        notes: warnings below the title.
        record: content of the run's `manifest.json`.
    """
    sections = [part.section(key, audit[key]) for key, part in _PARTS.items() if key in audit]
    given: Any = {"subtitle": SUBTITLE, "limits": LIMITS, "notes": notes, "record": record}
    write_page(path, title=f"Audit of {title}", sections=sections, **given)


class _Part(NamedTuple):
    """A section of the page: what it asks, and what of `Section` its numbers become."""

    title: str
    text: str
    build: Callable[[Mapping[str, Any]], dict[str, Any]]

    def section(self, key: str, found: Mapping[str, Any]) -> Section:
        """The section, or its heading and the reason where nothing could be measured."""
        made = {"remarks": [found["reason"]]} if set(found) == {"reason"} else self.build(found)
        return Section(key, self.title, self.text, **made)


def _identity(found: Mapping[str, Any]) -> dict[str, Any]:
    left = found["left_out"]
    remarks = [
        f"{found['persons']} persons, {found['recordings']} recordings; left out: "
        f"{left['persons_with_one_visit']} persons with one visit, "
        f"{left['recordings_of_unknown_persons']} recordings of unknown persons"
    ]
    if "reason" in found:
        return {"remarks": [*remarks, found["reason"]]}
    remarks.append(
        f"Chance, the best constant answer, is {found['chance']:.3f}. Each half of the visits was predicted "
        f"as if the other did not exist; {found['with_context']:.0%} of the recordings had a context"
    )
    return {
        "plot": forest(
            [(FEATURES[name], estimate) for name, estimate in found["accuracy"].items()],
            label="accuracy on another visit",
            line=found["chance"],
        ),
        "columns": ("Features", "Accuracy", "Plain minus this"),
        "rows": [
            (FEATURES[name], estimate, found["difference"].get(name))
            for name, estimate in found["accuracy"].items()
        ],
        "remarks": remarks,
    }


def _depression(found: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "plot": forest(
            [(FEATURES[name], reading["auc"]) for name, reading in found.items() if "auc" in reading],
            label="AUC of the linear reader",
            line=0.5,
        ),
        "columns": ("Features", "AUC", "Pearson r", "MAE"),
        "rows": [
            (FEATURES[name], *(reading.get(metric) for metric in ("auc", "pearson", "mae")))
            for name, reading in found.items()
        ],
        "remarks": sorted(
            {part["reason"] for reading in found.values() for part in reading.values() if "value" not in part}
        ),
    }


def _nuisance(found: Mapping[str, Any]) -> dict[str, Any]:
    columns = found["columns"]
    questions = [q for q in QUESTIONS if any(q in answers for answers in columns.values())]
    flags = {
        name: [QUESTION_LABELS[q] for q in questions if (answers.get(q) or {}).get("flagged")]
        for name, answers in columns.items()
    }
    return {
        "plot": panels(
            [
                (name, {QUESTION_LABELS[q]: answers[q] for q in questions if q in answers}, bool(flags[name]))
                for name, answers in columns.items()
            ],
            lines={QUESTION_LABELS[q]: QUESTIONS[q] for q in questions},
        ),
        "columns": ("Column", *(QUESTION_LABELS[q] for q in questions), "Flagged"),
        "rows": [
            (name, *(answers.get(q) for q in questions), ", ".join(flags[name]) or "none")
            for name, answers in columns.items()
        ],
        "remarks": _grouped(found["reasons"]),
    }


def _labels(found: Mapping[str, Any]) -> dict[str, Any]:
    fixed = max(test["fixed_persons"] for test in found.values())
    alone = f"{fixed} persons are alone with their number of recordings and keep their labels"
    return {
        "columns": ("Metric", "Observed", "Permuted, 95 %", "p"),
        "rows": [
            (
                RECORDS[name].label,
                f"{test['value']:.2f}",
                "{:.2f} to {:.2f}".format(*test["null"]),
                f"{test['p']:.4f}",
            )
            for name, test in found.items()
        ],
        "remarks": [alone] if fixed else [],
    }


def _sampling(found: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "columns": ("Column", "Training persons", "Test persons", "Difference", "p (Holm)", "Differs"),
        "rows": [
            (
                entry["column"],
                _composition(entry["train"]),
                _composition(entry["test"]),
                f"{entry['difference']:.2f}",
                f"{entry['p_holm']:.3f}",
                "yes" if entry["differs"] else "no",
            )
            for entry in found["columns"]
        ],
    }


def _composition(value: float | Mapping[str, float]) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {share:.0%}" for name, share in value.items())
    return f"{value:.3g}"


def _slices(found: Mapping[str, Any]) -> dict[str, Any]:
    groups = flatten(found)
    shown = [
        m for m in (*SHOWN, "coverage") if any((g.get(m) or {}).get("value") is not None for g in groups)
    ]
    reasons = _grouped({column: part["reason"] for column, part in found.items() if "reason" in part})
    reasons += _grouped({f"{g['column']} {g['group']}": g["reason"] for g in groups if "reason" in g})
    reasons += _grouped(
        {
            f"{g['column']} {g['group']} ({RECORDS[m].label})": g[m]["reason"]
            for g in groups
            for m in shown
            if (g.get(m) or {}).get("reason")
        }
    )
    labels = [RECORDS[m].label for m in shown]
    rows = [(f"{g['column']}: {g['group']}", g, False) for g in groups]  # one without numbers keeps its row
    return {
        "plot": panels(rows, lines=dict.fromkeys([*shown[:1], *shown[-2:]])),
        "columns": ("Group", "Recordings / persons", *labels, *(f"{label}, gap" for label in labels[:1])),
        "rows": [
            (
                f"{g['column']}: {g['group']}",
                f"{g['recordings']} / {g['persons']}",
                *(g.get(m) for m in shown),
                *(g.get("difference", {}).get(m) for m in shown[:1]),
            )
            for g in groups
        ],
        "remarks": reasons,
    }


def _coverage(found: Mapping[str, Any]) -> dict[str, Any]:
    row = (f"{found['promised']:.2f}", found["reached"], f"{found['width']:.1f}", str(found["recordings"]))
    return {"columns": ("Promised", "Reached", "Mean width (points)", "Recordings"), "rows": [row]}


def _grouped(reasons: Mapping[str, str]) -> list[str]:
    """One line per reason with all that it concerns."""
    names: dict[str, list[str]] = {}
    for name, reason in reasons.items():
        names.setdefault(reason, []).append(name)
    return [f"{', '.join(concerned)}: {reason}" for reason, concerned in names.items()]


_PARTS = {
    "identity": _Part(
        "Who is it?",
        "Logistic regression names the person on visits that it has not seen. A network that suppresses "
        "habits should know the person before RARM and less after it.",
        _identity,
    ),
    "depression": _Part(
        "Is depression in the personality features?",
        "A linear reader, fitted on the training persons, reads the labels of the test persons from each "
        "feature. What the personality branch knows of severity, suppression may take away with the habit.",
        _depression,
    ),
    "nuisance": _Part(
        "Does the model take a shortcut?",
        "How the video was made against the label, the prediction (partial on the label) and the absolute "
        "error. A prediction that follows a column beyond the label has found a shortcut; a label that "
        "follows it offers one: an AUC of the label near 0 or 1 says that the column alone gives it away. "
        "Red rows are flagged after Holm's correction over the columns.",
        _nuisance,
    ),
    "labels": _Part(
        "Could permuted labels do as well?",
        "The test metric against labels that were dealt to other persons, all of a person together. A small "
        "p value says that the predictions know something about the labels of these very persons.",
        _labels,
    ),
    "sampling": _Part(
        "Are the test persons of the same kind?",
        "What is known of the persons, training against test. A test set of other persons answers another "
        "question: read its result as one about them.",
        _sampling,
    ),
    "slices": _Part(
        "For whom does it work?",
        "Each group, and its gap to all other recordings that the same column describes. Many groups "
        "are looked at: one interval beside zero among twenty is expected.",
        _slices,
    ),
    "coverage": _Part(
        "Do the intervals keep their promise?",
        "Conformal intervals of the score, learned on validation, met by the test split.",
        _coverage,
    ),
}
