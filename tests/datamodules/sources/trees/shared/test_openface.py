import numpy as np
import pandas as pd

from datamodules.series.formats.openface import ORDER
from datamodules.sources.trees.shared.openface import write_openface


def test_a_table_has_the_columns_of_openface_in_its_order(tmp_path):
    write_openface(tmp_path / "a.csv", np.random.default_rng(0), rows=24, fps=25.0)
    header, first, *_ = (tmp_path / "a.csv").read_text().splitlines()
    assert header.startswith("frame, face_id, timestamp, confidence, success, gaze_0_x, ")
    assert header.endswith("AU26_c, AU28_c, AU45_c")
    assert first.startswith("1, 0, 0.000, 0.98, 1, ")
    # Ends of the groups, counted from the published order: 5 + 8 + 280 + 6 + 340 + 40 + 17 + 18 = 714.
    ends = {
        5: "gaze_0_x",
        13: "eye_lmk_x_0",
        293: "pose_Tx",
        299: "x_0",
        639: "p_scale",
        679: "AU01_r",
        696: "AU01_c",
    }
    assert len(ORDER) == len(set(ORDER)) == 714
    assert {place: ORDER[place] for place in ends} == ends


def test_values_are_in_range_and_differ_between_files(tmp_path):
    rng = np.random.default_rng(0)
    write_openface(tmp_path / "a.csv", rng, rows=24, fps=25.0, level=1.0)
    write_openface(tmp_path / "b.csv", rng, rows=24, fps=25.0, level=3.0)
    a, b = (pd.read_csv(tmp_path / name, skipinitialspace=True) for name in ("a.csv", "b.csv"))
    assert a["timestamp"].tolist() == [round(frame / 25, 2) for frame in range(24)]
    assert a["success"].tolist() == ([1] * 11 + [0]) * 2
    units = a.filter(regex="AU.*_r")
    assert units.shape[1] == 17
    assert ((units >= 0) & (units <= 5)).all(axis=None)
    assert set(a.filter(regex="AU.*_c").stack()) <= {0, 1}
    assert b["AU12_r"].mean() > a["AU12_r"].mean() + 1
    assert np.isfinite(a.to_numpy()).all()
