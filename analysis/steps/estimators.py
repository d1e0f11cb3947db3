"""Table of estimators and networks, each tested out of fold on persons it was not fitted on."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field

import pandas as pd

from analysis.out_of_fold import Head, Inputs, Model, OutOfFold, Reads, measured, out_of_fold
from analysis.step_data import Finding, Material
from analysis.steps.networks import Network
from engine.inference.strata import strata_sections
from evaluation.report.forest import panels
from evaluation.report.page import Section
from evaluation.uncertainty.bootstrap import Resampling

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Estimator:
    """A scikit-learn estimator, what it reads, `series` or the table of `features`, and what it predicts."""

    reads: Reads
    model: Model
    head: Head = "binary"

    def out_of_fold(self, material: Material, *, name: str) -> pd.DataFrame:
        """Fit a copy in every fold; see `out_of_fold`."""
        _log.info("%s: %d folds", name, len(material.splits))
        inputs = Inputs(material.series, material.features.table)
        return out_of_fold(
            self.model, self.reads, inputs, material.manifest.table, material.splits, head=self.head
        )


@dataclass(frozen=True, kw_only=True)
class EstimatorTable:
    """Estimators and networks in one table, each tested on persons it was not fitted on.

    Args:
        estimators: name -> estimator; null ones are left out.
        published: name -> accuracy that a paper printed, shown beside ours.
        networks: name -> network, in the same table; null ones are left out.
    """

    estimators: Mapping[str, Estimator | None]
    published: Mapping[str, float]
    networks: Mapping[str, Network | None] = field(default_factory=dict)

    def __call__(self, material: Material, resampling: Resampling) -> Finding:
        """Fit every estimator and train every network in every fold."""
        predictions = predicted(self.networks, self.estimators, material)
        found = {name: measured(own) for name, own in predictions.items()}
        majority = material.manifest.table["binary"].dropna().mean()
        printed = {name: f"{accuracy:.2f}" for name, accuracy in self.published.items()}
        section = Section(
            "estimators",
            "Who is depressed? Estimators on persons they were not fitted on",
            f"{len(material.splits)} folds over persons; scaling, selection and penalties are fitted inside "
            "the training part, the checkpoint of a network and the threshold of a decision are chosen on "
            "validation. Intervals are over persons.",
            plot=panels(
                [
                    (name, {"AUC": own["auc"], "accuracy": own["accuracy"]}, False)
                    for name, own in found.items()
                ],
                lines={"AUC": 0.5, "accuracy": float(max(majority, 1 - majority))},
            ),
            columns=("Estimator", "AUC", "Accuracy", "Printed accuracy"),
            rows=[
                (name, own["auc"], own["accuracy"], printed.get(name, "none")) for name, own in found.items()
            ],
            remarks=(
                f"Always answering the larger class is right in {max(majority, 1 - majority):.0%}",
                "Printed accuracies are of other persons and another split; they are not a target",
                *remarks(self.networks),
            ),
        )
        whole = {name: own["auc"] for name, own in found.items()}
        strata = strata_sections(predictions, whole, material.manifest, material.splits)
        return Finding([section, *strata], {"predictions": together(predictions)})


def predicted(
    networks: Mapping[str, OutOfFold | None], estimators: Mapping[str, OutOfFold | None], material: Material
) -> dict[str, pd.DataFrame]:
    """Out-of-fold predictions by name, of those that are not switched off.

    Networks come first: what is misspelt in their settings shows before the estimators have taken minutes.
    """
    chosen = {name: own for name, own in {**networks, **estimators}.items() if own is not None}
    found = {name: own.out_of_fold(material, name=name) for name, own in chosen.items()}
    return {name: found[name] for name in sorted(found, key=lambda name: name in networks)}


def together(predictions: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """One table, with the name of the estimator in every row."""
    tables = [own.assign(estimator=name) for name, own in predictions.items()]
    return pd.concat(tables, ignore_index=True)


def remarks(networks: Mapping[str, Network | None]) -> list[str]:
    """Remarks of the networks, for the page."""
    return [f"{name}: {own.remark}" for name, own in networks.items() if own is not None and own.remark]
