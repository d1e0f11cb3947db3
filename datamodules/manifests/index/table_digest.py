"""The digest of a manifest's table, which results are recorded with."""

import hashlib

import numpy as np
import pandas as pd


def table_digest(table: pd.DataFrame) -> str:
    """SHA-256 of the content of a table; the order of rows and columns does not matter."""
    names = sorted(map(str, table.columns))
    ids = table["recording_id"].tolist()
    order = sorted(range(len(ids)), key=ids.__getitem__)
    columns = [[texts[row] for row in order] for texts in (_canonical(table[name]) for name in names)]
    lines = ["\x1f".join(names), *("\x1f".join(row) for row in zip(*columns, strict=True))]
    return hashlib.sha256("\x1e".join(lines).encode()).hexdigest()


def _canonical(column: pd.Series) -> list[str]:
    """Cells as text; ten digits of a number survive a round trip through CSV on every platform."""
    if not pd.api.types.is_float_dtype(column.dtype) or not isinstance(column.dtype, np.dtype):
        return [
            format(value, ".10g") if isinstance(value, float) else str(value) for value in column.tolist()
        ]
    # by their bits, as 0 and -0 are equal; most columns have few different numbers
    bits, places = np.unique(column.to_numpy(dtype=np.float64).view(np.int64), return_inverse=True)
    texts = np.array([format(value, ".10g") for value in bits.view(np.float64).tolist()], dtype=object)
    found: list[str] = texts[places].tolist()
    return found
