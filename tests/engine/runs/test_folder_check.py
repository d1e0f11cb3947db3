import pytest
from omegaconf import OmegaConf

from engine.runs.folder_check import CheckFolder
from engine.runs.lock import FolderInUse, FolderLock


def test_links_out_of_a_run_are_not_written_through(tmp_path):
    mine = tmp_path / "mine.txt"
    mine.write_text("mine")
    for name in (".lock", "train.log"):
        folder = tmp_path / f"run_{name[1:]}"
        folder.mkdir()
        (folder / name).symlink_to(mine)
        command = OmegaConf.create({"hydra": {"run": {"dir": str(folder)}}})
        with pytest.raises(SystemExit, match="is a link"):
            CheckFolder().on_run_start(command)
    with pytest.raises(FolderInUse, match="is a link"):
        FolderLock(tmp_path / "run_lock").acquire()
    assert mine.read_text() == "mine"
