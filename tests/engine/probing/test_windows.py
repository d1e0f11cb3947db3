"""Windows of a store in memory: what a step draws, and means over the windows of a recording."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from engine.config.compose import ConfigError
from engine.probing.windows import read_windows


def _recordings(folder, counts, *, tokens=2, kind=np.float16):
    made = []
    for place, count in enumerate(counts):
        values = np.full((count + 1, tokens, 4), place, kind)
        values[:, :, 1] = np.arange(count + 1)[:, None]
        values[0] = np.nan  # a window that shows nothing
        path = Path(folder) / f"{place}-{tokens}-{count}.npy"
        np.save(path, values)
        made.append(SimpleNamespace(recording_id=f"r{place}", tokens_path=path))
    return made


def test_a_step_draws_one_real_window_of_each_recording(tmp_path):
    windows = read_windows(_recordings(tmp_path, [3, 1, 5]))
    assert windows.counts.tolist() == [3, 1, 5]
    seen = [windows.drawn(0, step)["tokens"] for step in range(60)]
    for drawn in seen:
        assert drawn[:, 0, 0].tolist() == [0, 1, 2]
    numbers = torch.stack([drawn[:, 0, 1] for drawn in seen])
    assert [sorted(set(column.tolist())) for column in numbers.T] == [[1, 2, 3], [1], [1, 2, 3, 4, 5]]
    assert torch.equal(windows.drawn(0, 7)["tokens"], seen[7])


def test_values_of_windows_are_averaged_over_each_recording(tmp_path):
    windows = read_windows(_recordings(tmp_path, [3, 1, 5]))
    values = np.random.default_rng(0).normal(size=(2, 9))
    found = windows.mean(values)
    for row in range(2):
        expected = [values[row, :3].mean(), values[row, 3], values[row, 4:].mean()]
        assert found[row] == pytest.approx(expected)
    parts = list(windows.batches(4))
    assert [len(part["mask"]) for part in parts] == [4, 4, 1]


def test_files_of_two_shapes_and_recordings_without_tokens_are_refused(tmp_path):
    with pytest.raises(ConfigError, match="2 shapes"):
        read_windows([*_recordings(tmp_path, [2]), *_recordings(tmp_path, [2], tokens=3)])
    with pytest.raises(ConfigError, match="r1 has no real token"):
        read_windows(_recordings(tmp_path, [2, 0]))
