"""Pipelines on feature tables: features as they are, or selection and components as in Faces of the Mind.

A statistic that is missing has a reason, which the report of the features tells: its channel was not measured
or never moved, or too few frames were valid. The recording stays, because leaving it out would test other
persons than were asked for.
"""

from typing import Any

from sklearn.decomposition import PCA
from sklearn.impute import SimpleImputer
from sklearn.preprocessing import StandardScaler

from biomarkers.estimators.grouped_pipeline import PersonPipeline
from biomarkers.estimators.selection import P_VALUE, RankSumSelector

VARIANCE = 0.99  # share that the components keep; Faces of the Mind


def plain_pipeline(*, estimator: Any) -> PersonPipeline:
    """An estimator on the features as they are, gaps included.

    For trees of scikit-learn and XGBoost, which send a gap to the side of a split where it helps; they need
    neither scaling nor selection.
    """
    return PersonPipeline([("estimator", estimator)])


def component_pipeline(*, estimator: Any, p_value: float | None = P_VALUE) -> PersonPipeline:
    """Gaps filled, Mann-Whitney selection, z-scores, principal components, estimator; all of training rows.

    The order and the constants are those of Faces of the Mind, which fits them on everybody before the split.
    Filling is ours: the median of the training rows, and an indicator of the gap for each feature that has
    one there, so that a model may treat the filled differently. A feature that no training row has is a
    constant.

    Args:
        estimator: Reads components; it is told the persons if its `fit` has `groups`.
        p_value: Of the selection; None keeps every feature, as regression must.
    """
    steps: list[tuple[str, Any]] = [
        ("fill", SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True))
    ]
    if p_value is not None:
        steps.append(("select", RankSumSelector(p_value=p_value)))
    steps += [("scale", StandardScaler()), ("components", PCA(VARIANCE, svd_solver="full"))]
    return PersonPipeline([*steps, ("estimator", estimator)])
