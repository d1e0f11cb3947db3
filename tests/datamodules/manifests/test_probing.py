import hashlib
import logging
import os
import re
from fractions import Fraction

import av
import numpy as np
import pandas as pd
import pytest

from datamodules.manifests import probing as probe
from datamodules.manifests.manifest import ManifestError, read_manifest


def test_fills_what_is_missing_and_keeps_what_is_stated(cohort):
    path = cohort(2, 2, frames=50, fps=[10.0, np.nan, np.nan, np.nan])
    manifest = read_manifest(path)
    assert manifest.table["fps"].tolist() == [10.0, 25.0, 25.0, 25.0]
    assert manifest.table["duration_s"].tolist() == [2.0] * 4
    expected = hashlib.sha256((path.parent / "p00_v0.npz").read_bytes()).hexdigest()
    assert manifest.table["content_hash"].iloc[0] == expected


def test_second_start_reads_no_file_until_one_changes(cohort, monkeypatch):
    path = cohort(2, 2)
    first = read_manifest(path)
    read = []
    monkeypatch.setattr(probe, "_probe", lambda file: read.append(file.name) or {"n_frames": 1.0})
    assert read_manifest(path).digest() == first.digest()
    assert read == []
    os.utime(path.parent / "p01_v0.npz", ns=(1, 1))
    read_manifest(path)
    assert read == ["p01_v0.npz"]


def test_unreadable_file_is_named_hashed_and_tried_again(cohort, write_series, caplog):
    path = cohort(2, 2)
    good = (path.parent / "p00_v1.npz").read_bytes()
    (path.parent / "p00_v1.npz").write_bytes(good[:100])
    table = read_manifest(path).table
    assert "p00_v1.npz cannot be read" in caplog.text
    assert table["n_frames"].isna().tolist() == [False, True, False, False]
    assert table["content_hash"].iloc[1] == hashlib.sha256(good[:100]).hexdigest()
    write_series(path.parent / "p00_v1.npz", np.zeros((7, 3)))
    assert read_manifest(path).table["n_frames"].iloc[1] == 7


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text.replace(b",25.0,", b",52.0,", 1),
        lambda text: text[:-40],
        lambda text: text.replace(b"n_frames", b"n_frame5"),
        lambda text: b"\xff\xfe" + text,
        lambda text: b"",
        lambda text: b"\0" * len(text),
    ],
)
def test_whatever_is_damaged_in_the_sidecar_is_read_from_the_files_again(cohort, damage):
    path = cohort(2, 2, fps=[float("nan")] * 4)
    before = read_manifest(path).table
    sidecar = probe.facts_file(path.parent, "cohort")
    text = sidecar.read_bytes()
    assert damage(text) != text
    sidecar.write_bytes(damage(text))
    pd.testing.assert_frame_equal(read_manifest(path).table, before)
    assert sidecar.read_bytes() == text


def test_damaged_sidecar_is_rebuilt(cohort, caplog):
    path = cohort(2, 1)
    first = read_manifest(path)
    kept = probe.facts_file(path.parent, "cohort")
    kept.write_text("nonsense\n1\n")
    assert read_manifest(path).digest() == first.digest()
    assert "reading the files again" in caplog.text
    assert len(pd.read_csv(kept)) == 2


def test_facts_lie_in_the_users_cache_and_not_beside_the_table(cohort, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    path = cohort(2, 1)
    beside = sorted(path.parent.iterdir())
    read_manifest(path)
    assert sorted(set(path.parent.iterdir()) - {tmp_path / "cache"}) == beside
    assert [file.parent.name for file in (tmp_path / "cache").rglob("*.csv")] == ["facts"]


def test_without_probing_nothing_is_read(cohort):
    manifest = read_manifest(cohort(2, 1), probe=False)
    assert [(r.n_frames, r.fps) for r in manifest.recordings()] == [(0, 0.0)] * 2


def test_facts_of_a_video(videos):
    path = videos(2, 1, frames=20)  # gray levels 0, 12, ..., 228; the second video has one frame more
    table = read_manifest(path).table
    assert table["n_frames"].tolist() == [20, 21]
    assert table["fps"].tolist() == [25, 25]
    assert table[["width", "height"]].to_numpy().tolist() == [[32, 32]] * 2
    np.testing.assert_allclose(table["duration_s"], [0.8, 0.84])
    np.testing.assert_allclose(table["brightness"], 12 * 10 / 255, atol=0.01)  # frames 5, 10, 15


def test_facts_of_a_series_of_an_extractor(tmp_path):
    lines = ["frame, timestamp, confidence, success, AU04_r"]
    lines += [f"{k + 1}, {k / 25}, 0.98, 1, 0.5" for k in (0, 1, 4, 5)]
    (tmp_path / "a.csv").write_text("\n".join(lines))
    table = pd.DataFrame([{"recording_id": "a", "path": "", "series_path": "a.csv"}])
    filled = probe.fill_facts(table, root=tmp_path, sidecar=tmp_path / "facts.csv").iloc[0]
    assert (filled["n_frames"], filled["fps"], filled["duration_s"]) == (6, pytest.approx(25), 0.24)


@pytest.mark.parametrize(
    ("name", "stated", "right"),
    [
        ("n_frames", 9000, 100),
        ("n_frames", 50, 100),
        ("fps", 15, 30),
        ("duration_s", 60, 3.4),
        ("n_frames", 1, 101),
    ],
)
def test_what_is_stated_and_not_so_is_told(name, stated, right, tmp_path, caplog):
    noise = np.random.default_rng(0).normal(size=(100, 2))
    np.savez(tmp_path / "s.npz", values=noise, channels=np.array(["a", "b"]), fps=30.0)
    row = {"recording_id": "r", "subject_id": "P", "session_id": "V1", "path": "", "series_path": "s.npz"}
    with caplog.at_level(logging.WARNING):
        pd.DataFrame([row | {name: right}]).to_csv(tmp_path / "right.csv", index=False)
        assert read_manifest(tmp_path / "right.csv").table[name][0] == right
        assert "is not that of the files" not in caplog.text
        pd.DataFrame([row | {name: stated}]).to_csv(tmp_path / "m.csv", index=False)
        read_manifest(tmp_path / "m.csv")
    assert f"'{name}' is not that of the files: row 1 (s.npz) states {stated}, the file" in caplog.text


def _at(path, rate, *, frames=30):
    """Write a video whose clock gives `rate` frames per second."""
    with av.open(str(path), "w", options={"video_track_timescale": "90000"}) as container:
        stream = container.add_stream("libx264", rate=25, options={"crf": "10", "g": "8", "bf": "0"})
        stream.width, stream.height, stream.pix_fmt = 32, 32, "yuv420p"
        stream.codec_context.time_base = Fraction(1, 90000)
        for number in range(frames):
            picture = np.full((32, 32, 3), 8 * number, dtype=np.uint8)
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = round(number * 90000 / rate), Fraction(1, 90000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


@pytest.mark.parametrize(("rate", "possible"), [(30_000, False), (1200, False), (0.05, False), (240, True)])
def test_a_rate_at_which_nobody_films_stays_out_of_the_table(tmp_path, caplog, rate, possible):
    _at(tmp_path / "a.mp4", rate)
    table = pd.DataFrame([{"recording_id": "a", "path": "a.mp4"}])
    for start in range(2):  # what was found is told again by a start that opens no file
        caplog.clear()
        filled = probe.fill_facts(table, root=tmp_path, sidecar=tmp_path / "facts.csv").iloc[0]
        assert filled["n_frames"] == 30, start
        if possible:
            assert filled["fps"] == pytest.approx(rate, rel=0.01)
            assert caplog.text == ""
        else:
            assert np.isnan(filled["fps"])
            assert np.isnan(filled["duration_s"])
            assert re.search(
                r"a\.mp4: its clock gives [\d.e+]+ frames/s.*State them in the manifest", caplog.text
            )
    stated = probe.fill_facts(table.assign(fps=25.0), root=tmp_path, sidecar=tmp_path / "facts.csv")
    assert stated["fps"].tolist() == [25.0]


def test_rates_that_files_and_manifests_may_have_are_the_same(cohort):
    read_manifest(cohort(2, 1, fps=[probe.SLOWEST, probe.FASTEST]), probe=False)
    for outside in (probe.SLOWEST / 1.01, probe.FASTEST * 1.01):
        with pytest.raises(ManifestError, match="fps"):
            read_manifest(cohort(2, 1, fps=[25.0, outside]), probe=False)
