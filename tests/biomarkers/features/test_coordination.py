import numpy as np
import pytest

from biomarkers.features.coordination import Coordination, delayed, spectrum
from datamodules.series import Series


def series(values, valid=None, names=None):
    values = np.asarray(values, dtype=np.float32)
    valid = np.ones(len(values), dtype=bool) if valid is None else valid
    names = names or tuple(f"c{i}" for i in range(values.shape[1]))
    return Series(values=np.where(valid[:, None], values, 0), channels=names, valid=valid, fps=12.0)


def test_eigenvalues_are_those_of_the_correlation_matrix_of_delayed_channels():
    rng = np.random.default_rng(0)
    x = np.cumsum(rng.normal(size=(120, 3)), axis=0).astype(np.float32)
    found = Coordination(channels=("c0", "c1", "c2"), spacings=(1, 6), delays=3).measure(
        series(x), recording="r"
    )
    for spacing in (1, 6):
        length = 120 - 2 * spacing
        columns = [x[d * spacing : d * spacing + length, c] for c in range(3) for d in range(3)]
        expected = np.linalg.eigvalsh(np.corrcoef(np.array(columns, dtype=np.float64)))[::-1]
        got = [found.values[f"coordination{spacing}_{rank}"] for rank in range(1, 10)]
        assert got == pytest.approx(expected, abs=1e-8)


def test_levels_and_sizes_are_gone_and_a_common_movement_is_one_eigenvalue():
    rng = np.random.default_rng(1)
    x = rng.normal(size=(200, 2))
    own = Coordination(channels=("c0", "c1"), spacings=(1,), delays=2)
    plain, moved = (own.measure(series(v), recording="r").values for v in (x, x * [3.0, 0.1] + [5.0, -2.0]))
    assert list(plain.values()) == pytest.approx(list(moved.values()), abs=1e-4)
    together = spectrum(np.repeat(rng.normal(size=(50, 1)), 4, axis=1))
    assert together == pytest.approx([4, 0, 0, 0], abs=1e-9)


def test_rows_that_are_not_valid_are_in_no_delay():
    valid = np.ones(30, dtype=bool)
    valid[10] = False
    x = np.arange(30, dtype=np.float64)[:, None]
    rows = delayed(np.where(valid[:, None], x, -99.0), valid, 2, 3)
    assert -99.0 not in rows
    assert rows[:, 0].tolist() == [t for t in range(26) if t not in (6, 8, 10)]
    assert (rows[:, 2] - rows[:, 0] == 4).all()


def test_a_constant_channel_and_one_that_is_lacking_go_with_nothing_and_a_short_recording_has_gaps():
    rng = np.random.default_rng(2)
    x = np.column_stack([rng.normal(size=60), np.full(60, 0.1)])
    own = Coordination(channels=("c0", "c1", "lacking"), spacings=(1, 30), delays=2)
    found = own.measure(series(x), recording="r")
    assert sum(abs(found.values[f"coordination1_{rank}"] - 1) < 1e-9 for rank in range(1, 7)) >= 4
    short = own.measure(series(x[:35]), recording="r")
    assert set(short.gaps) == {f"coordination30_{rank}" for rank in range(1, 7)}
    assert np.isfinite([short.values[f"coordination1_{rank}"] for rank in range(1, 7)]).all()


@pytest.mark.parametrize("wrong", [{"channels": ()}, {"delays": 0}, {"spacings": (0,)}])
def test_settings_that_cannot_be_are_refused(wrong):
    with pytest.raises(ValueError, match=r"1 or more|one or more"):
        Coordination(**({"channels": ("a",)} | wrong))
