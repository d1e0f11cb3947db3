import pytest

from datamodules.sources.shared.draft import SourceError
from datamodules.sources.shared.named_sets import chosen_sets, column_of, is_ignored
from datamodules.sources.shared.set_widths import known_width


def test_names_become_columns():
    assert [column_of(name) for name in ("dinov2/small", "Head-Pose", "vit mae")] == [
        "features_dinov2_small", "features_head_pose", "features_vit_mae",
    ]  # fmt: skip


def test_sets_that_would_share_a_column_are_refused(tmp_path):
    with pytest.raises(SourceError, match="'head-pose' and 'head_pose' would share the column"):
        chosen_sets(["head_pose", "head-pose"], None, where=tmp_path)
    assert chosen_sets(["head_pose", "head-pose"], ["head-pose"], where=tmp_path) == ["head-pose"]
    with pytest.raises(SourceError, match="no feature set found"):
        chosen_sets([], None, where=tmp_path)
    with pytest.raises(SourceError, match=r"sets=\[\] reads nothing"):
        chosen_sets(["a"], [], where=tmp_path)


def test_a_pattern_leaves_out_a_folder_with_all_in_it(tmp_path):
    file = tmp_path / "train" / "extra" / "a.txt"
    assert is_ignored(file, tmp_path, ["train/extra"])
    assert is_ignored(file, tmp_path, ["*.txt"])
    assert not is_ignored(file, tmp_path, ["extra", "a.csv"])


@pytest.mark.parametrize(
    ("name", "width"),
    [
        ("quality", 4), ("head_pose", 5), ("face_behaviour", 5), ("body_pose", 27), ("motion", 4),
        ("voice_activity", 4), ("dinov2/small", 384), ("dinov2_vitb14", 768), ("dinov2/large", 1024),
        ("emotion", None), ("clip", None), ("siglip/base", None), ("dinov2", None), ("motion_quality_x", 4),
        ("motion_head_pose", None),
    ],
)  # fmt: skip
def test_stated_widths_are_known_by_words_of_the_name(name, width):
    assert known_width(name) == width
