import numpy as np
import pandas as pd

from datamodules.manifests.index.arrow_table import columns_of, from_arrow, to_arrow


def test_a_table_survives_the_way_through_arrow_bit_by_bit():
    table = pd.DataFrame(
        {"recording_id": ["a", "b", "\u00fc"], "score": [1.5, np.nan, -0.0], "site": ["", "x", ""]}
    )
    back = from_arrow(to_arrow(table))
    pd.testing.assert_frame_equal(back, table)
    assert back["score"].to_numpy().tobytes() == table["score"].to_numpy().tobytes()


def test_numbers_of_any_kind_are_floats_and_the_rest_is_text():
    found = columns_of(pd.DataFrame({"n": [1, 2], "o": pd.Series(["x", 3], dtype=object)}))
    assert found["n"].dtype == np.float64
    assert found["o"].to_pylist() == ["x", "3"]
