import pytest
import torch

from datamodules.clips.collate import EmptyBatch, collate, keep_rows


def sample(row, **changes):
    return {
        "series": torch.full((4, 2), float(row)),
        "mask": torch.ones(4, dtype=torch.bool),
        "targets": {"score": 3.5, "binary": 1, "band": 2},
        "target_mask": {"score": True, "binary": True, "band": False},
        "traits": (0.1, float("nan"), 0.3, 0.4, 0.5),
        "subject": row, "visit": row, "row": row, "clip": 0, "seed": 2**62 + row, "scored": True,
        "recording_id": f"r{row}", "subject_id": "s", "session_id": "v",
    } | changes  # fmt: skip


def test_keys_types_and_shapes():
    batch = collate([sample(0), sample(1, scored=False)])
    assert (batch["series"].shape, batch["series"].dtype) == ((2, 4, 2), torch.float32)
    assert batch["mask"].shape == (2, 4)
    types = {name: value.dtype for name, value in batch["targets"].items()}
    assert types == {"score": torch.float32, "binary": torch.float32, "band": torch.int64}
    assert {name: value.tolist() for name, value in batch["target_mask"].items()} == {
        "score": [True, True], "binary": [True, True], "band": [False, False],
    }  # fmt: skip
    assert batch["seed"].tolist() == [2**62, 2**62 + 1]
    assert {batch[name].dtype for name in ("subject", "visit", "row", "clip", "seed")} == {torch.int64}
    assert batch["scored"].tolist() == [True, False]
    assert batch["recording_id"] == ["r0", "r1"]
    assert batch["errors"] == []


def test_unknown_traits_and_those_of_context_rows_are_masked():
    batch = collate([sample(0), sample(1, scored=False)])
    assert batch["traits"].tolist()[0] == pytest.approx([0.1, 0.0, 0.3, 0.4, 0.5])
    assert batch["traits_mask"].tolist() == [[True, False, True, True, True], [False] * 5]


def test_skipped_samples_leave_their_error_only():
    batch = collate([sample(0), {"error": ("r9", "r9.mp4: torn")}, sample(2)])
    assert batch["row"].tolist() == [0, 2]
    assert batch["recording_id"] == ["r0", "r2"]
    assert batch["errors"] == [("r9", "r9.mp4: torn")]


def test_an_empty_batch_says_why():
    with pytest.raises(EmptyBatch, match=r"none of the 1 clips(.|\n)*r9: r9\.mp4: torn"):
        collate([{"error": ("r9", "r9.mp4: torn")}])


def test_coded_clips_stay_a_list_and_rows_can_be_kept():
    clips = [sample(row, encoded=f"bytes{row}") for row in range(3)]
    for clip in clips:
        del clip["series"]
    batch = keep_rows(collate([*clips, {"error": ("r9", "torn")}]), [0, 2])
    assert batch["encoded"] == ["bytes0", "bytes2"]
    assert batch["row"].tolist() == [0, 2]
    assert batch["targets"]["score"].shape == (2,)
    assert batch["errors"] == [("r9", "torn")]
