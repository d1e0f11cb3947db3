"""The study of fusion: arms differ in the fusion or the set only, and the page holds every arm."""

import numpy as np
import pandas as pd

from engine.training.prepare import compose_training
from models.fusion.late import LateFusion
from studies.fusion import ARMS, page, plan


def test_arms_differ_in_fusion_or_set_only(tmp_path):
    units = plan(seeds=2, subjects=6, epochs=3, out=tmp_path / "out", data=tmp_path / "data")
    assert [(unit.seed, unit.arm) for unit in units] == [(seed, arm) for seed in (0, 1) for arm in ARMS]
    configs = {unit.arm: compose_training(unit.overrides, output=tmp_path) for unit in units[: len(ARMS)]}
    first = configs["early"]
    for arm, config in configs.items():
        for key in ("trainer", "protocol", "seed", "selection"):
            assert config[key] == first[key]
        assert config["data"]["manifest"] == first["data"]["manifest"]
        assert config["model"]["optimizer"] == first["model"]["optimizer"]
        assert list(config["data"]["sets"]) == (
            [arm] if arm in first["data"]["sets"] else list(first["data"]["sets"])
        )
    assert configs["late"]["model"]["network"]["_target_"].endswith(LateFusion.__name__)


def test_the_page_has_a_row_an_arm_with_its_interval(tmp_path):
    results, rng = [], np.random.default_rng(0)
    for seed in range(2):
        target = rng.integers(2, size=60)
        for place, arm in enumerate(ARMS):
            table = pd.DataFrame(
                {
                    "recording_id": [f"r{row}" for row in range(60)],
                    "subject_id": [f"p{row // 2}" for row in range(60)],
                    "binary_target": target,
                    "binary_prediction": 1 / (1 + np.exp(-(place * target + rng.standard_normal(60)))),
                }
            )
            file = tmp_path / f"{seed}_{arm}.csv"
            table.to_csv(file, index=False)
            results.append({"arm": arm, "seed": seed, "predictions": file, "seconds": 2.0})
    text = page(results, command="python -m studies.fusion", subjects=30, epochs=3)
    rows = [line for line in text.splitlines() if line.startswith(tuple(f"| {arm} |" for arm in ARMS))]
    assert len(rows) == len(ARMS)
    assert rows[0].endswith("|  |  |  |")
    low, high = rows[-1].split("|")[5].strip(" []").split(", ")
    assert 0 < float(low) < float(high) < 1
    assert "24 CPU seconds" in text
