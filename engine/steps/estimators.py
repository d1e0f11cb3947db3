"""Estimators out of fold, on people they were not fitted on, in one table."""

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from engine.material import Finding, Material
from engine.out_of_fold import Inputs, Model, Reads, measured, out_of_fold
from engine.strata import strata_sections
from evaluation.audit_figures import panels
from evaluation.page import Section


@dataclass(frozen=True, kw_only=True)
class Estimator:
    """A named estimator and what it reads: `series`, or the table of `features`."""

    reads: Reads
    model: Model


@dataclass(frozen=True, kw_only=True)
class EstimatorTable:
    """Estimators out of fold, on people they were not fitted on, in one table.

    Args:
        estimators: name -> estimator; null ones are left out.
        published: name -> accuracy that a paper printed, shown beside ours.
    """

    estimators: Mapping[str, Estimator | None]
    published: Mapping[str, float]

    def __call__(self, material: Material, *, n_boot: int, seed: int) -> Finding:
        """Fit every estimator in every fold."""
        table = material.manifest.table
        inputs = Inputs(material.series, material.features.table)
        chosen = {name: estimator for name, estimator in self.estimators.items() if estimator is not None}
        predictions = {
            name: out_of_fold(own.model, own.reads, inputs, table, material.splits)
            for name, own in chosen.items()
        }
        found = {name: measured(own, n_boot=n_boot, seed=seed) for name, own in predictions.items()}
        majority = table["binary"].dropna().mean()
        rows = [
            (name, own["auc"], own["accuracy"], _printed(self.published.get(name)))
            for name, own in found.items()
        ]
        section = Section(
            "estimators",
            "Who is depressed? Estimators on people they were not fitted on",
            f"{len(material.splits)} folds over persons; scaling, selection and penalties are fitted inside "
            "the training part, the threshold of a decision is chosen on validation. Intervals are over "
            "persons.",
            plot=panels(
                [
                    (name, {"AUC": own["auc"], "accuracy": own["accuracy"]}, False)
                    for name, own in found.items()
                ],
                lines={"AUC": 0.5, "accuracy": float(max(majority, 1 - majority))},
            ),
            columns=("Estimator", "AUC", "Accuracy", "Printed accuracy"),
            rows=rows,
            remarks=(
                f"Always answering the larger class is right in {max(majority, 1 - majority):.0%}",
                "Printed accuracies are of other people and another split; they are not a target",
            ),
        )
        tables = [own.assign(estimator=name) for name, own in predictions.items()]
        strata = strata_sections(predictions, material.manifest, material.splits, n_boot=n_boot, seed=seed)
        return Finding([section, *strata], {"predictions": pd.concat(tables, ignore_index=True)})


def _printed(accuracy: float | None) -> str:
    return "none" if accuracy is None else f"{accuracy:.2f}"
