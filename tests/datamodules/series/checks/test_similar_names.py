"""Two columns of one name but for capitals and blanks are refused, two axes are not."""

import numpy as np
import pandas as pd
import pytest

from datamodules.series import UnreadableSeries, read_series
from datamodules.series.checks.similar_names import check_alike
from datamodules.series.read import FORMATS
from tests.datamodules.series.files import ROWS, npz

rng = np.random.default_rng(9)


@pytest.mark.parametrize(
    "pair",
    [("AU01_r", "au01_r"), ("AU01_r", "AU01 _r"), ("AU01_r", "AU 01_r"), ("smile", "Smile"),
     ("AU01_r", "AU01_r.1"), ("mouth open", "mouth_open"), ("mouth-open", "mouthOpen"),
     ("pose_Rx", "pose_rx"), ("au12", "AU_12"), ("au12", "au12.1"), ("pca", "pca.1")],
)  # fmt: skip
def test_two_spellings_of_one_name_are_refused(pair, tmp_path):
    path = tmp_path / "s.csv"
    pd.DataFrame(rng.uniform(0, 1, (ROWS, 2)), columns=list(pair)).to_csv(path, index=False)
    with pytest.raises(
        UnreadableSeries, match=r"s\.csv: columns '.*' and '.*' differ in capitals.*remove one"
    ):
        read_series(path, channels=None, fps=25.0)


@pytest.mark.parametrize(
    "pair",
    [("x_0", "X_0"), ("x0", "X0"), ("eye_lmk_x_1", "eye_lmk_X_1"), ("x_1_2", "x_12"), ("band_0.5", "band_05"),
     ("p_tx", "pose_Tx"), ("hz_0", "hz_0.1"), ("pca.1", "pca.2"), ("emb.0", "emb.1"), ("dX", "dx"),
     ("f0", "F0"), ("d-1", "d1"), ("au12-1", "au12_1"), ("lag+1", "lag-1")],
)  # fmt: skip
def test_two_names_are_two_channels(pair, tmp_path):
    path = tmp_path / "s.csv"
    pd.DataFrame(rng.uniform(0, 1, (ROWS, 2)), columns=list(pair)).to_csv(path, index=False)
    assert len(read_series(path, channels=None, fps=25.0).channels) == 2


def test_whoever_names_one_of_two_gets_it_and_an_archive_is_held_to_the_same(tmp_path):
    path = npz(channels=np.array(["smile", "Smile"]))(tmp_path)
    with pytest.raises(UnreadableSeries, match=r"s\.npz: columns 'smile' and 'Smile'"):
        read_series(path, channels=None)
    assert read_series(path, channels=["Smile"]).channels == ("Smile",)


@pytest.mark.parametrize("known", FORMATS, ids=lambda known: known.name)
def test_no_format_has_two_spellings(known, tmp_path):
    check_alike(tmp_path, list(known.columns), known.columns)
