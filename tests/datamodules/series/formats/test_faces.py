import numpy as np
import pandas as pd
import pytest

from datamodules.series import UnreadableSeries, read_series
from datamodules.series.read import recognise


def table(**cells):
    """Four rows of a series of a face; `cells` replaces columns."""
    own = {"frame": range(4), "timestamp": np.arange(4) / 25, "confidence": [0.2, 0.9, 0.9, 0.0]}
    measured = {"eye_aspect_ratio": [0.3, 0.2, 0.1, None], "blink": [0, 0, 1, None]}
    return pd.DataFrame(own | {"valid": [1, 1, 0, 0]} | measured | cells)


def test_the_verdict_alone_says_what_is_measured(tmp_path):
    path = tmp_path / "a.parquet"
    table().to_parquet(path)
    assert recognise(path).name == "faces"
    series = read_series(path, channels=None)
    assert series.valid.tolist() == [True, True, False, False]
    assert series.channels == ("eye_aspect_ratio", "blink")
    np.testing.assert_allclose(series.seconds, np.arange(4) / 25)
    np.testing.assert_allclose(series.values[:, 0], [0.3, 0.2, 0, 0], atol=1e-6)


def test_a_usable_row_must_be_complete_and_the_verdict_0_or_1(tmp_path):
    path = tmp_path / "a.parquet"
    table(valid=[1, 1, 0, 1]).to_parquet(path)
    with pytest.raises(UnreadableSeries, match="'eye_aspect_ratio' is nan in row 3"):
        read_series(path, channels=None)
    table(valid=[1, 1, 0, 0.5]).to_parquet(path)
    with pytest.raises(UnreadableSeries, match=r"'valid' is 0\.5 in 1 of 4 rows"):
        read_series(path, channels=None)


def test_the_same_columns_without_a_verdict_are_a_plain_table(tmp_path):
    path = tmp_path / "a.csv"
    table().drop(columns="valid").head(3).to_csv(path, index=False)
    assert recognise(path).name == "table"
    assert read_series(path, channels=None).valid.tolist() == [False, True, True]
