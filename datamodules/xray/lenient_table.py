"""The rows of a manifest that its checks refuse: the x-ray looks at them all the same."""

from pathlib import Path

import numpy as np
import pandas as pd

from datamodules.manifests.columns import FEATURES, FILES
from datamodules.manifests.scales import SCALES
from datamodules.manifests.table_file import FileFault, read_table
from datamodules.schema import IDS, UNKNOWN

_NUMBERS = ("score", "binary", "fps", "n_frames", "duration_s", "age")


def lenient_table(path: Path) -> pd.DataFrame | None:
    """The table with what can be understood of it; None where it has no `recording_id` or is no table."""
    try:
        table = read_table(path)
    except (FileFault, OSError, ValueError):
        return None
    table.columns = pd.Index([str(name).strip() for name in table.columns])
    if "recording_id" not in table or not len(table):
        return None
    for name in table:
        if name in IDS or name in FILES or str(name).startswith(FEATURES):
            table[name] = table[name].astype(object).where(table[name].notna(), "").astype(str)
    for name in (name for name in _NUMBERS if name in table):
        table[name] = pd.to_numeric(table[name], errors="coerce")
    if "subject_id" not in table:
        table["subject_id"] = UNKNOWN
    return _with_binary(table.reset_index(drop=True))


def _with_binary(table: pd.DataFrame) -> pd.DataFrame:
    if "score" not in table or "scale" not in table:
        return table
    derived = [
        float(SCALES[scale].binary(score)) if scale in SCALES and np.isfinite(score) else np.nan
        for scale, score in zip(table["scale"].astype(str), table["score"], strict=True)
    ]
    known = table["binary"] if "binary" in table else pd.Series(np.nan, index=table.index)
    return table.assign(binary=known.where(known.notna(), pd.Series(derived, index=table.index)))
