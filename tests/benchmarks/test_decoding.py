import numpy as np
import pandas as pd
import pytest

from benchmarks import decoding


@pytest.fixture(autouse=True)
def own_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.mark.slow
def test_a_short_run_writes_the_table(tmp_path, capsys):
    path = decoding.write_video(tmp_path, 64, 96, 12, 3)
    decoding.main(video=(path,), rounds=1, clips=2, out=tmp_path)
    table = pd.read_csv(tmp_path / "decoding.csv", keep_default_na=False)
    assert set(table["reader"]) == {"pyav", "torchcodec", "decord", "packets"}
    assert set(table["video"]) == {path.name}
    pyav = table[table["reader"] == "pyav"]
    assert (pyav["clips_per_cpu_second"].astype(float) > 0).all()
    assert (pyav["ratio_to_pyav"].astype(float) == 1).all()
    assert "clips_per_cpu_second" in capsys.readouterr().out


def test_a_refusal_is_reported_instead_of_a_speed(tmp_path, monkeypatch):
    monkeypatch.setattr(decoding, "READERS", ("pyav", "decord"))
    path = decoding.write_video(tmp_path, 64, 96, 12, 3)
    monkeypatch.setattr("datamodules.readers.decord.load_problem", lambda: "no wheel")
    table = decoding.measure("small", path, rounds=1, clips=1).set_index(["mode", "reader"])
    row = table.loc["an open per clip", "decord"]
    assert np.isnan(row["clips_per_cpu_second"])
    assert "no wheel" in row["refused"]


def test_clips_lie_inside_the_video(tmp_path):
    path = decoding.write_video(tmp_path, 64, 96, 12, 1)
    for clip in decoding.random_clips(path, 20):
        assert len(clip) == 16
        assert min(clip) >= 0
        assert max(clip) <= 29
