import json

import pytest

from benchmarks.faces_torch.__main__ import main
from preprocessing.models.folder import ModelError, locate


@pytest.mark.slow
def test_a_short_run_writes_the_page(tmp_path):
    try:
        locate()
    except ModelError as missing:
        pytest.skip(str(missing))
    main(device="cpu", batches=("2",), frames=6, rounds=1, out=tmp_path)
    held = json.loads((tmp_path / "faces_torch.json").read_text())
    assert [row["material"] for row in held["agreement"]] == ["photograph", "drawn faces", "drawn room"]
    for row in held["agreement"][:2]:
        # of the moving photograph one frame in six has no face for either; more often they may not differ
        assert row["found_by_both"] == row["found_torch"] == row["found_litert"]
        assert row["found_by_both"] >= 5
        assert row["same_regions"]["worst_frame"] < 0.5
    [speed] = held["speed"]
    assert speed["frames_per_s"] > 1
    assert speed["with_a_face"] > 0.9
