"""`decode=true` finds the frames that the decoder refuses, wherever they are, and nothing else."""

import re

import pytest

from datamodules.checks.damage import damaged_videos
from datamodules.checks.validate import main
from datamodules.command_line import run
from datamodules.manifests.manifest import read_manifest
from datamodules.readers import UnreadableVideo, open_video
from datamodules.sources.trees import folder
from tests.datamodules.readers.videos import damaged


@pytest.fixture
def tree(tmp_path):
    folder.write(tmp_path / "own", persons=2)
    return tmp_path / "own"


def _hit(path):
    """Damage the picture that is decoded last: no frame looked at when a table is read leans on it."""
    copy = damaged(path, range(12, 13), "noise")
    path.write_bytes(copy.read_bytes())
    copy.unlink()
    with open_video(path) as video, pytest.raises(UnreadableVideo):
        video.frames(range(video.n_frames))


def test_damage_that_no_look_at_three_frames_finds_is_listed(tree, capsys):
    arguments = ["source=folder", f"root={tree}"]
    assert run(main, [*arguments, "decode=true"]) == 0
    assert "every frame of every video that opens was decoded" in capsys.readouterr().out
    _hit(tree / "person01" / "visit1.mp4")
    assert run(main, arguments) == 0
    capsys.readouterr()
    assert run(main, [*arguments, "decode=true"]) == 1
    out = capsys.readouterr().out
    assert re.search(r"^Damaged videos$", out, re.MULTILINE)
    assert re.search(r"^  person01_visit1 +frame 12 of 13 is damaged", out, re.MULTILINE)
    assert "person02_visit1  frame" not in out


def test_a_file_that_does_not_open_is_listed_elsewhere(videos):
    path = videos(2, 1)
    (path.parent / "p00_v0.mp4").write_bytes(b"no video")
    assert damaged_videos(read_manifest(path)) == []


def test_decode_is_true_or_false(tree, capsys):
    assert run(main, ["source=folder", f"root={tree}", "decode=yes"]) == 2
    assert "'decode=yes' is neither true nor false" in capsys.readouterr().err
