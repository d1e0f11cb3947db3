"""A folder or a file without a table becomes a manifest of unknown persons."""

import os
import sys
from pathlib import Path

import numpy as np
import pytest

from datamodules.sources.shared.draft import SourceError
from datamodules.sources.unlabeled import SERIES, VIDEOS, input_manifest
from datamodules.synthetic.video import write_video


def test_a_folder_gives_only_what_the_network_reads(tmp_path):
    mine = tmp_path / "mine"
    mine.mkdir()
    pictures = np.random.default_rng(0).integers(0, 255, (12, 32, 32, 3), dtype=np.uint8)
    write_video(mine / "P0003_V1.mp4", pictures, fps=10.0)
    rows = np.random.default_rng(1).normal(size=(20, 2)).astype(np.float32)
    np.savez(mine / "P0000_V1.npz", values=rows, channels=np.array(["au04", "au12"]), fps=np.float64(10))
    kinds = (VIDEOS, "P0003_V1"), (SERIES, "P0000_V1")
    for suffixes, name in kinds:
        found = input_manifest(mine, notes=tmp_path, kinds=suffixes)
        assert found.table["recording_id"].tolist() == [name]
    assert len(input_manifest(mine, notes=tmp_path).table) == 2


def test_nothing_to_predict_says_what_would_be(tmp_path):
    with pytest.raises(SourceError, match="no video there"):
        input_manifest(tmp_path, notes=tmp_path)
    with pytest.raises(SourceError, match=r"absent\.mp4"):
        input_manifest(tmp_path / "absent.mp4", notes=tmp_path)


def test_a_link_that_leads_nowhere_is_left_out_aloud(tmp_path, caplog):
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "there.mp4").write_bytes(b"x")
    (mine / "moved.mp4").symlink_to(tmp_path / "elsewhere.mp4")
    found = input_manifest(mine, notes=tmp_path, probe=False)
    assert found.table["recording_id"].tolist() == ["there"]
    assert "lead nowhere" in caplog.text
    assert "moved.mp4" in caplog.text


@pytest.mark.skipif(sys.platform != "linux", reason="other systems take only names that are text")
def test_names_that_are_no_text_are_left_out_aloud(tmp_path, caplog):
    (tmp_path / "Größe.mp4").write_bytes(b"x")
    Path(os.fsdecode(bytes(tmp_path) + b"/Gr\xf6\xdfe.mp4")).write_bytes(b"x")
    found = input_manifest(tmp_path, notes=tmp_path, probe=False)
    assert found.table["recording_id"].tolist() == ["Größe"]
    assert "not in UTF-8 are left out" in caplog.text
