from itertools import pairwise

import numpy as np
import pytest

from datamodules.xray.still_rows import (
    Block,
    Stretch,
    longest_runs,
    longest_stretch,
    measured_on,
    repeated_block,
)
from tests.xray_corpus import walk


def test_runs_are_those_of_a_plain_loop():
    values = np.random.default_rng(0).integers(0, 2, (200, 70))

    def plain(column):
        best = own = 1
        for before, now in pairwise(column):
            own = own + 1 if before == now else 1
            best = max(best, own)
        return best

    assert longest_runs(values).tolist() == [plain(column) for column in values.T]


def test_marks_and_counts_are_on_no_scale():
    rows = 50
    rng = np.random.default_rng(1)
    columns = [rng.integers(0, 2, rows), rng.integers(0, 11, rows), rng.normal(size=rows), np.full(rows, 3.5),
               rng.integers(0, 300, rows)]  # fmt: skip
    assert measured_on(np.stack(columns, axis=1)).tolist() == [False, False, True, False, True]


def test_a_stretch_goes_on_over_rows_that_were_not_measured():
    values, rows = walk(np.random.default_rng(2), 100, 4), np.arange(100)
    values[30:60] = values[30]
    assert longest_stretch(values, rows) == Stretch(30, 30)
    kept = np.r_[:40, 45:100]
    assert longest_stretch(values[kept], rows[kept]) == Stretch(30, 25)


def test_rows_of_zeros_are_no_stretch():
    values = walk(np.random.default_rng(3), 100, 4)
    values[20:80] = 0
    assert longest_stretch(values, np.arange(100)).rows == 1


@pytest.mark.parametrize(("channels", "rows"), [(12, 4), (2, 8)])
def test_a_block_that_comes_again_is_found_from_its_shortest_on(channels, rows):
    values, numbers = walk(np.random.default_rng(4), 100, channels), np.arange(100)
    assert repeated_block(values, numbers) is None
    values[60 : 60 + rows - 1] = values[10 : 10 + rows - 1]
    assert repeated_block(values, numbers) is None
    values[60 : 60 + rows] = values[10 : 10 + rows]
    assert repeated_block(values, numbers) == Block(10, 60, rows)


def test_still_rows_and_rows_written_several_times_are_no_block():
    values, numbers = walk(np.random.default_rng(5), 100, 4), np.arange(100)
    values[40:70] = values[40]
    assert repeated_block(values, numbers) is None
    assert repeated_block(np.repeat(walk(np.random.default_rng(6), 30, 4), 3, axis=0), np.arange(90)) is None


def test_tiles_are_a_block():
    values = np.tile(walk(np.random.default_rng(7), 25, 4), (4, 1))
    assert repeated_block(values, np.arange(100)) == Block(0, 25, 75)
