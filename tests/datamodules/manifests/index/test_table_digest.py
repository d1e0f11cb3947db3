import hashlib

import numpy as np
import pandas as pd

from datamodules.manifests.index.table_digest import table_digest


def by_cells(table):
    """The digest as it was first written: row by row, cell by cell."""
    table = table.sort_values("recording_id")
    lines = ["\x1f".join(sorted(map(str, table.columns)))]
    for _, row in table.iterrows():
        cells = (row[name] for name in sorted(map(str, table.columns)))
        lines.append("\x1f".join(format(c, ".10g") if isinstance(c, float) else str(c) for c in cells))
    return hashlib.sha256("\x1e".join(lines).encode()).hexdigest()


def test_it_is_that_of_the_cells_one_by_one():
    rng = np.random.default_rng(0)
    table = pd.DataFrame(
        {
            "recording_id": [f"r{number}" for number in rng.permutation(200)],
            "score": rng.normal(size=200),
            "age": np.where(rng.random(200) < 0.3, np.nan, rng.integers(0, 9, 200)),
            "zero": np.where(rng.random(200) < 0.5, -0.0, 0.0),
            "site": rng.choice(["", "x", "\u00fc"], 200),
        }
    )
    assert table_digest(table) == by_cells(table)
    assert table_digest(table) != table_digest(table.assign(zero=0.0))
