"""Out-of-fold permutation and SHAP importance of tree models."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from analysis.out_of_fold import Inputs, fitted_folds
from analysis.step_data import Finding, Material
from analysis.steps.cells import named_estimate
from biomarkers.importance.family_importance import explain_fold, importance_table
from biomarkers.naming import label
from datamodules.manifests.identity import person_keys
from evaluation.report.forest import panels
from evaluation.report.page import Section
from evaluation.uncertainty.bootstrap import Resampling

_SHOWN = 25  # families in a plot, our choice: every statistic of OpenFace has hundreds of channels


@dataclass(frozen=True, kw_only=True)
class Importance:
    """Permutation importance and SHAP values of families of features, by folds over persons.

    Args:
        model: Trees on features: `BoostingClassifier`, or `plain_pipeline` of a forest.
        repeats: Permutations of each family in each fold.
        shap_persons: Persons of each fold whose SHAP values are taken, at most.
    """

    model: Any
    repeats: int
    shap_persons: int

    def __call__(self, material: Material, resampling: Resampling) -> Finding:
        """Fit every fold's training part, explain its test part."""
        manifest = material.manifest.table
        inputs = Inputs(material.series, material.features.table)
        persons, target = np.array(person_keys(manifest)), manifest["binary"].to_numpy(dtype=np.float64)
        fitted = fitted_folds(self.model, "features", inputs, manifest, material.splits)
        folds = []
        for number, (model, rows) in enumerate(fitted):
            test = [row for row in rows["test"] if np.isfinite(target[row])]
            folds.append(
                explain_fold(
                    model,
                    inputs.rows("features", test),
                    target=target[test],
                    persons=persons[test],
                    repeats=self.repeats,
                    shap_persons=self.shap_persons,
                    seed=resampling.seed + number,
                )
            )
        table = importance_table(folds, resampling)
        return Finding([_section(table)], {"importance": table})


def _section(table: pd.DataFrame) -> Section:
    parts = {by: table[table["by"] == by] for by in ("channel", "region", "statistic")}
    ranked = {by: own.sort_values("auc_lost", ascending=False) for by, own in parts.items()}
    whole = table[table["by"] == "all"].iloc[0]
    shape = [
        f"{name} is a parameter of the shape of the face, drawn in another color: it tells who somebody is"
        for name in parts["channel"].loc[parts["channel"]["identity"], "family"]
    ]
    return Section(
        "importance",
        "What do the trees look at?",
        "Features that measure the same are permuted together among the test persons of each fold, with the "
        "fold's own model: the AUC that is lost is what only they tell it. SHAP values share each prediction "
        "among all features (paths of the trees, out of fold) and are summed within a family before their "
        "size is averaged. Intervals are over persons, ranges over folds.",
        plots=[_plot(own) for own in ranked.values()],
        columns=("By", "Family", "Features", "AUC lost", "Folds", "Mean |SHAP|"),
        rows=[
            (row["by"], _name(row), str(row["features"]), named_estimate(row, "auc_lost"), _range(row),
             named_estimate(row, "shap"))
            for own in (table[table["by"] == "all"], *ranked.values())
            for _, row in own.head(_SHOWN).iterrows()
        ],
        remarks=(
            f"Permuting everything costs {whole['auc_lost']:.3f}, all that the model knows: where its "
            "interval reaches 0 the ranking means nothing",
            "A family may lose nothing because another tells the same (AU6 and AU12): look at regions, too",
            "The mean size of SHAP values is above 0 for noise as well, since the model uses noise: compare, "
            "do not test",
            *shape,
        ),
    )  # fmt: skip


def _plot(own: pd.DataFrame) -> str | None:
    rows = [
        (
            _name(row),
            {"AUC lost": named_estimate(row, "auc_lost"), "mean |SHAP|": named_estimate(row, "shap")},
            bool(row["identity"]),
        )
        for _, row in own.head(_SHOWN).iterrows()
    ]
    return panels(rows, lines={"AUC lost": 0.0, "mean |SHAP|": None})


def _name(row: Any) -> str:
    return label(row["family"]) if row["by"] == "channel" else str(row["family"])


def _range(row: Any) -> str:
    if pd.isna(row["fold_low"]):
        return "none: a fold tests one class"
    return f"{row['fold_low']:.3f} to {row['fold_high']:.3f}"
