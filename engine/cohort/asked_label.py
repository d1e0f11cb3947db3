"""The label that audits ask about: the binary one, or which side of the median a score lies on."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray


def labels_of(table: pd.DataFrame) -> tuple[NDArray[np.float64], str]:
    """Binary labels (N,), NaN where unknown; of scores without a rule those above the median."""
    if "binary" in table and table["binary"].notna().any():
        return table["binary"].to_numpy(dtype=np.float64, na_value=np.nan), "binary"
    if "score" in table and table["score"].notna().any():
        scores = table["score"].to_numpy(dtype=np.float64, na_value=np.nan)
        middle = float(np.nanmedian(scores))
        split = scores > middle if (scores > middle).any() else scores >= middle
        above = np.where(np.isnan(scores), np.nan, split.astype(np.float64))
        return above, f"score above its median, {middle:g}"
    return np.full(len(table), np.nan), "none"
