from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest
from hydra.core.utils import setup_globals
from omegaconf import OmegaConf
from omegaconf.basecontainer import BaseContainer

from engine.runs.find_run import register
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


@pytest.fixture
def one_second(monkeypatch):
    setup_globals()  # Hydra's `now`, and ours of a run's folder
    register()
    monkeypatch.setitem(BaseContainer._resolvers, "now", lambda *a: "2026-01-01_00-00-00")


@pytest.mark.usefixtures("one_second")
def test_commands_of_one_second_get_a_folder_each(tmp_path):
    together = Barrier(4)

    def begin(_):
        command = OmegaConf.create({"hydra": {"run": {"dir": f"{tmp_path}/eval/${{now:%S}}"}}})
        OmegaConf.set_readonly(command.hydra, True)
        together.wait()
        CheckFolder().on_run_start(command)
        return command.hydra.run.dir

    with ThreadPoolExecutor(4) as pool:
        given = sorted(pool.map(begin, range(4)))
    assert given == [f"{tmp_path}/eval/2026-01-01_00-00-00{end}" for end in ("", "_2", "_3", "_4")]
    assert all(Path(one).is_dir() for one in given)


@pytest.mark.usefixtures("one_second")
def test_ranks_of_one_run_keep_the_folder_that_another_rank_made(tmp_path, monkeypatch):
    monkeypatch.setenv("RANK", "0")
    (tmp_path / "2026-01-01_00-00-00").mkdir()
    command = OmegaConf.create({"hydra": {"run": {"dir": f"{tmp_path}/${{now:%S}}"}}})
    CheckFolder().on_run_start(command)
    assert command.hydra.run.dir == f"{tmp_path}/2026-01-01_00-00-00"


@pytest.mark.usefixtures("one_second")
def test_a_folder_that_is_given_or_gone_on_with_stays(tmp_path):
    (tmp_path / "manifest.json").write_text("{}")
    new_or_not = "${run_folder:outputs,${resume},${now:%S}}"
    for folder, resume in ((str(tmp_path), None), (new_or_not, str(tmp_path))):
        command = OmegaConf.create({"resume": resume, "hydra": {"run": {"dir": folder}}})
        CheckFolder().on_run_start(command)
        assert command.hydra.run.dir == str(tmp_path)
