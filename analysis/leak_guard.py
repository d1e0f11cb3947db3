"""Guard the features of an analysis against label leakage; `accept_leaks` adds a leak on purpose."""

from collections.abc import Sequence
from fnmatch import filter as matching
from typing import Any

import numpy as np
import pandas as pd

from datamodules.feature_leakage.repeated_answers import check_features
from datamodules.manifests.manifest import Manifest
from datamodules.series import Series


def guarded(
    features: pd.DataFrame, series: Sequence[Series], manifest: Manifest, *, allowed: Sequence[str]
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """The features with the columns of `accept_leaks` added, and the names of the leaking columns.

    Args:
        features: Ids and features of all recordings.
        series: Of the same recordings; a channel that repeats an answer is allowed as `mean of <channel>`.
        manifest: The recordings.
        allowed: Patterns of `accept_leaks`, e.g. `item_dass21_*`.

    Raises:
        LeakageError: A channel or a feature repeats an answer to the questionnaire and was not asked to.
    """
    table = manifest.table
    # The means of channels as well as the features: networks read the channels themselves, so an answer that
    # hides in one would reach them even where no extractor looks at it.
    check_features(_channel_means(series), table, allowed=allowed)
    columns = list(dict.fromkeys([*map(str, features), *map(str, table)]))
    leaked = tuple(name for name in columns if any(matching([name], pattern) for pattern in allowed))
    added = table[[name for name in leaked if name not in features]].reset_index(drop=True)
    features = pd.concat([features, added], axis=1)
    # after the columns were added: what was asked for passes, and whatever else repeats an answer does not
    check_features(features, table, allowed=allowed)
    return features, leaked


def leak_notes(leaked: Sequence[str]) -> list[str]:
    """The remark that heads a page where answers to the questionnaire are among the features."""
    if not leaked:
        return []
    return [
        f"accept_leaks put {len(leaked)} columns that hold the answers among the features: "
        f"{', '.join(leaked)}. Numbers of estimators on features demonstrate that leak; none is a result."
    ]


def _channel_means(series: Sequence[Series]) -> pd.DataFrame:
    """Mean of every channel over the valid rows of each recording; NaN without any."""
    rows: list[dict[str, Any]] = [
        dict(zip(own.channels, own.values[own.valid].mean(axis=0, dtype=np.float64), strict=True))
        if own.valid.any()
        else {}
        for own in series
    ]
    return pd.DataFrame(rows).add_prefix("mean of ")
