from pathlib import Path

import pytest

from evaluation.report.local_paths import shortened


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("/mnt/anna/clips/r9.mp4 is truncated", "…/r9.mp4 is truncated"),
        ('"path": "/mnt/anna/data"', '"path": "…/data"'),
        ("paths.data=/mnt/anna/data,/mnt/x/y", "paths.data=…/data,…/y"),
        (r"C:\Users\anna\data\r9.mp4", "…/r9.mp4"),
        ("AUC and/or MAE, 3/4, https://arxiv.org/abs/1, clips/a/r9.mp4", None),
    ],
)
def test_only_absolute_paths_are_shortened(text, shown):
    assert shortened(text) == (text if shown is None else shown)


def test_own_folders_are_left_out(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(Path, "home", lambda: Path("/home/anna"))
    assert shortened(f"{tmp_path}/outputs/run, {tmp_path}") == "outputs/run, ."
    assert shortened("/home/anna/data/x.csv and /home/annabel/y/z") == "~/data/x.csv and …/z"
