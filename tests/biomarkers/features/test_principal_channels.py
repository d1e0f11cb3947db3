import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.preprocessing import StandardScaler

from biomarkers.features.principal_channels import PrincipalChannels
from datamodules.series import Series


def made(rng, rows):
    values = rng.normal(size=(rows, 2)) @ rng.normal(size=(2, 6)) + 0.1 * rng.normal(size=(rows, 6)) + 100
    values[:, 5] = 7.0  # never moves
    valid = rng.random(rows) < 0.9
    values = np.where(valid[:, None], values, 0).astype(np.float32)
    return Series(values=values, channels=tuple("abcdef"), valid=valid, fps=12.0)


def test_components_are_those_of_standardized_channels_over_valid_rows():
    rng = np.random.default_rng(0)
    recordings = [made(rng, rows) for rows in (50, 80, 30)]
    fitted = PrincipalChannels(count=2).fit(recordings)
    rows = np.concatenate([one.values[one.valid] for one in recordings]).astype(np.float64)
    scaled = StandardScaler().fit_transform(rows)[:, :5]
    expected = PCA(2).fit_transform(scaled)
    found = np.concatenate([fitted.transform(one).values[one.valid] for one in recordings])
    assert np.abs(found) == pytest.approx(np.abs(expected), abs=1e-3)
    out = fitted.transform(recordings[0])
    assert out.channels == ("component01", "component02")
    assert not out.values[~out.valid].any()
    with pytest.raises(ValueError, match="0 valid row"):
        PrincipalChannels(count=2).fit([])
