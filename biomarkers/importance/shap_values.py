"""SHAP values of tree ensembles (Lundberg et al., Nature Machine Intelligence 2:56, 2020)."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from shap import TreeExplainer
from sklearn.pipeline import Pipeline

from biomarkers.estimators.boosting import BoostingClassifier

Array = NDArray[np.float64]


def shap_values(model: Any, x: pd.DataFrame) -> tuple[Array, float]:
    """Contribution of every feature (N,F) to each prediction, and the base that all predictions share.

    A row's contributions and the base add up to the model's output: log-odds of boosting, the probability of
    the second class of a forest. The expectation over absent features follows the training rows down the
    trees (`feature_perturbation="tree_path_dependent"`): no background sample is chosen, and credit is shared
    among correlated features, which the sum over a family gathers.

    Args:
        model: Fitted `BoostingClassifier`, or a pipeline of one forest of scikit-learn.
        x: Features (N rows), in the columns of the fit.

    Raises:
        TypeError: The model is neither.
    """
    trees = _trees(model)
    explainer = TreeExplainer(trees, feature_perturbation="tree_path_dependent")
    # the check of the sum compares float32 margins too strictly for thousands of rows; a test does it
    values = np.asarray(explainer.shap_values(x, check_additivity=False), dtype=np.float64)
    base = np.atleast_1d(np.asarray(explainer.expected_value, dtype=np.float64))
    return (values[..., 1] if values.ndim == 3 else values), float(base[-1])


def _trees(model: Any) -> Any:
    if isinstance(model, BoostingClassifier):
        return model.model_
    if isinstance(model, Pipeline) and len(model) == 1 and hasattr(model[-1], "estimators_"):
        return model[-1]
    raise TypeError(
        f"{type(model).__name__} is neither a BoostingClassifier nor plain_pipeline of a forest: SHAP values "
        "of features need trees that read the features themselves"
    )
