import numpy as np
import pandas as pd

from datamodules.xray.survey import arrays_of, empty_files, survey, survey_folder, visible


def moving(rows=200, seed=0):
    return np.random.default_rng(seed).normal(size=(rows, 2)).cumsum(axis=0)


def test_a_file_that_two_recordings_share_is_read_once(tmp_path):
    np.save(tmp_path / "a.npy", moving())
    np.save(tmp_path / "b.npy", moving(seed=1))
    table = pd.DataFrame({"recording_id": ["r1", "r2", "r3"], "series_path": ["a.npy", "a.npy", "b.npy"]})
    named = arrays_of(table, tmp_path)
    assert named == {
        tmp_path / "a.npy": ("series_path", ("r1", "r2")),
        tmp_path / "b.npy": ("series_path", ("r3",)),
    }
    found = survey(table, tmp_path)
    assert [(one.file, one.owners) for one in found.measured] == [("a.npy", ("r1", "r2")), ("b.npy", ("r3",))]
    assert [len(files) for files in found.sets().values()] == [2]


def test_why_files_could_not_be_read_is_kept(tmp_path):
    (tmp_path / "a.npy").write_bytes(b"")
    table = pd.DataFrame({"recording_id": ["r1", "r2"], "series_path": ["a.npy", "gone.npy"]})
    found = survey(table, tmp_path)
    assert found.measured == []
    assert [name for name, _ in found.unreadable] == ["a.npy", "gone.npy"]
    assert found.unreadable[0][1] == "0 bytes"
    assert "FileNotFoundError" in found.unreadable[1][1]


def test_channels_that_never_move_in_a_file_are_not_counted(tmp_path):
    still = moving()
    still[:, 1] = 0.5
    for name, values in (("a", moving()), ("b", moving(seed=1)), ("c", still)):
        np.save(tmp_path / f"{name}.npy", values)
    (runs,) = survey_folder(tmp_path).runs.values()
    assert runs.alive().tolist() == [3, 2]
    assert runs.usual(0.5).tolist() == [1, 1]  # the next row is always another


def test_files_without_a_byte_are_found_beside_the_named_ones(tmp_path):
    (tmp_path / "x" / "deep").mkdir(parents=True)
    for name in ("x/a.npy", "x/b.npy", "x/deep/c.wav", "x/notes.md", ".d.npy"):
        (tmp_path / name).write_bytes(b"1" if name == "x/a.npy" else b"")
    empty, looked = empty_files(tmp_path, [tmp_path / "x/a.npy"], below=False)
    assert ([file.name for file in empty], looked) == (["b.npy"], 2)
    empty, looked = empty_files(tmp_path, [], below=True)
    assert ([file.name for file in empty], looked) == (["b.npy", "c.wav"], 3)
    assert [file.name for file in visible(tmp_path)] == ["a.npy", "b.npy", "c.wav", "notes.md"]
