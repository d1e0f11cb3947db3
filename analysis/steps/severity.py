"""Table of severity scores predicted out of fold, beside a constant guess."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import pandas as pd

from analysis.step_data import Finding, Material
from analysis.steps.estimators import Estimator, predicted, remarks, together
from analysis.steps.networks import Network
from evaluation.baselines.reference_lines import constant
from evaluation.report.forest import panels
from evaluation.report.page import Section
from evaluation.summary import summarize
from evaluation.uncertainty.bootstrap import Resampling
from evaluation.uncertainty.scale_limits import cut_to_scale
from evaluation.uncertainty.table_estimates import paired_differences

_TITLE = "How severe? Scores of persons the estimators were not fitted on"


@dataclass(frozen=True, kw_only=True)
class SeverityTable:
    """Regressors, and the score heads of networks, out of fold beside the constant guess, in one table.

    Args:
        estimators: name -> regressor (`head: score`); null ones are left out.
        networks: name -> network; null ones are left out; what the table of labels has trained is read.
    """

    estimators: Mapping[str, Estimator | None]
    networks: Mapping[str, Network | None] = field(default_factory=dict)

    def __call__(self, material: Material, resampling: Resampling) -> Finding:
        """Fit every regressor in every fold; what comes without a score in the manifest has no section."""
        table = material.manifest.table
        if "score" not in table or table["score"].isna().all():
            return Finding([Section("severity", _TITLE, "No recording has a score.")], {})
        guess = constant_guess(material)
        predictions = {
            name: own[np.isfinite(own["score_target"])]
            for name, own in predicted(self.networks, self.estimators, material).items()
        }
        scale = material.data["scale"]
        cut = partial(cut_to_scale, span=scale["high"] - scale["low"])
        gaps = {
            name: cut({"difference": paired_differences([own], [guess])})["difference"]["mae"]
            for name, own in predictions.items()
        }
        found = {name: cut(summarize([own])) | {"against": gaps[name]} for name, own in predictions.items()}
        found["constant guess"] = cut(summarize([guess])) | {"against": "-"}
        section = Section(
            "severity",
            _TITLE,
            f"Points of {scale['name']}. The constant guess is the mean score of the fold's training part, "
            "the third column the paired difference to it, below 0 where looking at a face helps. A "
            "network's checkpoint is the one that validation chose for the labels. Intervals are over "
            "persons.",
            plot=panels(
                [(name, {"MAE": own["mae"], "CCC": own["ccc"]}, False) for name, own in found.items()],
                lines={"MAE": found["constant guess"]["mae"]["value"], "CCC": 0.0},
            ),
            columns=("Estimator", "MAE", "MAE minus constant guess", "RMSE", "CCC"),
            rows=[(name, own["mae"], own["against"], own["rmse"], own["ccc"]) for name, own in found.items()],
            remarks=remarks(self.networks),
        )
        return Finding(
            [section], {"severity_predictions": together({**predictions, "constant guess": guess})}
        )


def constant_guess(material: Material) -> pd.DataFrame:
    """Recording table of everybody tested with a known score; the guess is the training mean of the fold."""
    table = material.manifest.table
    parts = []
    for number, split in enumerate(material.splits):
        train, test = (table[table["recording_id"].isin(set(part))] for part in (split.train, split.test))
        guessed = constant(train, test, heads=("score",)).predictions
        assert guessed is not None
        parts.append(guessed.assign(fold=number))
    guess = pd.concat(parts, ignore_index=True)
    return guess.dropna(subset=["score_target"])
