import pytest

from datamodules.xray.lenient_table import lenient_table


def written(tmp_path, text):
    (tmp_path / "t.csv").write_text(text)
    return lenient_table(tmp_path / "t.csv")


def test_rows_that_a_manifest_refuses_stay_with_what_can_be_understood(tmp_path):
    table = written(
        tmp_path, "recording_id, scale ,score,path\na,BDI-II,14,a.mp4\nb,BDI-II,many,\nc,none,3,c.mp4\n"
    )
    assert table["recording_id"].tolist() == ["a", "b", "c"]
    assert table["path"].tolist() == ["a.mp4", "", "c.mp4"]
    assert table["score"].isna().tolist() == [False, True, False]
    assert table["binary"].fillna(-1).tolist() == [1, -1, -1]  # from 14 on; no number, and no such scale
    assert table["subject_id"].nunique() == 1


def test_a_class_that_is_given_is_kept(tmp_path):
    table = written(tmp_path, "recording_id,scale,score,binary\na,BDI-II,20,0\nb,BDI-II,20,\n")
    assert table["binary"].tolist() == [0, 1]


@pytest.mark.parametrize("text", ["", "subject_id,score\na,1\n", "recording_id,score\n"])
def test_what_has_no_recordings_is_no_table(text, tmp_path):
    assert written(tmp_path, text) is None
