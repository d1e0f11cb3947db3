from pathlib import Path

import numpy as np
import pytest


@pytest.fixture
def write_table():
    """Write a table of given columns: values of 0-1 unless given; `cells` plants text.

    Returns the values (rows, columns) as floats by name.
    """

    def write(path: Path, columns, rows: int = 12, *, separator: str = ",", cells=None, **values):
        rng = np.random.default_rng(len(columns))
        table = {name: np.round(rng.uniform(0, 1, rows), 3) for name in columns}
        table |= {name: np.asarray(column) for name, column in values.items()}
        assert list(table) == list(columns), "a value for a column that the file does not have"
        text = [[str(column[row]) for column in table.values()] for row in range(rows)]
        for (row, name), cell in (cells or {}).items():
            text[row][list(columns).index(name)] = cell
        lines = [separator.join(columns), *(separator.join(line) for line in text)]
        path.write_text("\n".join(lines) + "\n")
        return table

    return write
