import json

import pytest

from engine.runs.find_run import found_run
from engine.runs.provenance import RunFolderError


def test_last_is_the_newest_run(tmp_path):
    for name, started in (("b", "2026-01-01"), ("a", "2026-01-02")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "manifest.json").write_text(json.dumps({"started": started}))
    assert found_run("last", outputs=tmp_path) == tmp_path / "a"
    (tmp_path / "b" / "checkpoints").mkdir()
    (tmp_path / "b" / "checkpoints" / "last.ckpt").touch()  # what was refused later left none
    assert found_run("last", outputs=tmp_path) == tmp_path / "b"
    with pytest.raises(RunFolderError, match="no run lies below"):
        found_run("last", outputs=tmp_path / "none")


def test_a_folder_that_is_no_run_says_what_to_give(tmp_path):
    for name in ("outputs/multirun/monday/0", "outputs/multirun/monday/1"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "manifest.json").write_text('{"argv": ["eval.py"]}')
    outputs, sweep = tmp_path / "outputs", tmp_path / "outputs/multirun/monday"
    with pytest.raises(
        RunFolderError, match=rf"no run lies there, but below it.*2 in all.*resume={sweep}/0;"
    ):
        found_run(str(sweep), outputs=outputs)
    with pytest.raises(RunFolderError, match=rf"no run lies below.*sweep.*resume={sweep}/1"):
        found_run("last", outputs=outputs)
    with pytest.raises(RunFolderError, match="no such folder"):
        found_run(str(tmp_path / "gone"), outputs=outputs)
    assert found_run(str(sweep / "1"), outputs=outputs) == sweep / "1"


def test_a_fold_goes_on_with_its_run(tmp_path):
    for name in ("run", "run/fold_0", "run/repeat_1/fold_0", "fold_0"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "manifest.json").write_text("{}")
    for name in ("run/fold_0", "run/repeat_1/fold_0"):
        with pytest.raises(RunFolderError, match=rf"is a fold of .* resume={tmp_path}/run$"):
            found_run(str(tmp_path / name), outputs=tmp_path)
    assert found_run(str(tmp_path / "fold_0"), outputs=tmp_path) == tmp_path / "fold_0"
