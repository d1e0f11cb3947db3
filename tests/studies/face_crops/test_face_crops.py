import numpy as np
import pandas as pd
from sklearn.metrics import roc_auc_score

from engine.training.prepare import compose_training
from studies.face_crops.page import _weighted_auc, paired, paired_interval, write_page
from studies.face_crops.plan import ARMS, plan


def predictions(rng, *, signal, n=60):
    target = rng.integers(2, size=n)
    return pd.DataFrame(
        {
            "recording_id": [f"r{i}" for i in range(n)],
            "subject_id": [f"p{i // 2}" for i in range(n)],
            "binary_target": target,
            "binary_prediction": 1 / (1 + np.exp(-(signal * target + rng.standard_normal(n)))),
        }
    )


def test_arms_differ_in_their_input_only(tmp_path):
    units = plan(seeds=2, subjects=6, epochs=3, out=tmp_path / "out", data=tmp_path / "data")
    assert [(unit.seed, unit.arm) for unit in units] == [(seed, arm) for seed in (0, 1) for arm in ARMS]
    configs = [compose_training(unit.overrides, output=tmp_path) for unit in units[:3]]
    first = configs[0]
    for config in configs:
        for key in ("model", "trainer", "protocol", "seed"):
            assert config[key] == first[key]
        module = config["data"]["module"]
        assert module["source"]["video"] == first["data"]["module"]["source"]["video"]
        for key in ("train_clips", "eval_clips", "augment", "normalize", "subjects", "visits", "clips"):
            assert module[key] == first["data"]["module"][key]
    scenes = [config["data"]["manifest"].get("scene") for config in configs]
    assert scenes == ["room", None, "portrait"]


def test_weighted_auc_is_that_of_scikit_learn():
    rng = np.random.default_rng(2)
    target, score, weights = rng.integers(2, size=30), rng.integers(6, size=30), rng.random((4, 30))
    expected = [roc_auc_score(target, score, sample_weight=row) for row in weights]
    np.testing.assert_allclose(_weighted_auc(target, score, weights), expected)


def test_interval_holds_zero_for_equal_arms_and_not_for_a_better_one():
    rng = np.random.default_rng(0)
    strong, weak = predictions(rng, signal=3), predictions(rng, signal=0)
    weak["binary_target"] = strong["binary_target"]
    assert paired_interval([(strong, strong)]) == (0, 0)
    low, high = paired_interval([(strong, weak)])
    assert 0 < low < high < 1


def results(tmp_path, rng):
    out = []
    for seed in range(2):
        target = None
        for arm, signal in zip(ARMS, (0.5, 2.0, 3.0), strict=True):
            table = predictions(rng, signal=signal)
            table["binary_target"] = target = table["binary_target"] if target is None else target
            file = tmp_path / f"{seed}_{arm}.csv"
            table.to_csv(file, index=False)
            record = {"arm": arm, "seed": seed, "seconds": 1.0, "predictions": file}
            out.append(record | {"test_auc": 0.5 + 0.1 * signal, "overrides": ["trainer.max_epochs=3"]})
    return out


def test_page_shows_paired_differences(tmp_path):
    found = results(tmp_path, np.random.default_rng(1))
    text = write_page(found, tmp_path / "page.md", command="command", kept=120)
    single: dict[str, list[float]] = {arm: [] for arm in ARMS}
    for result in found:
        table = pd.read_csv(result["predictions"])
        single[result["arm"]].append(roc_auc_score(table["binary_target"], table["binary_prediction"]))
    frame, crop = (np.mean(single[arm]) for arm in ("frame", "crop"))
    assert f"| frame | {frame:.3f} | {', '.join(f'{one:.3f}' for one in single['frame'])} |" in text
    assert f"| crop | {crop:.3f} |" in text
    assert f"| {crop - frame:+.3f} | [" in text
    assert "30 drawn persons of 4 visits" in text
    assert "few of their frames can be used: 0; they" in text


def test_recordings_that_one_arm_does_not_predict_count_in_none(tmp_path):
    found = results(tmp_path, np.random.default_rng(1))
    tables = {(one["arm"], one["seed"]): pd.read_csv(one["predictions"]) for one in found}
    first = next(iter(tables))
    gone = tables[first]["recording_id"].iloc[0]
    tables[first] = tables[first].iloc[1:]
    kept, left_out = paired(tables)
    assert left_out == 1
    for (arm, seed), table in kept.items():
        assert (gone in set(table["recording_id"])) == (seed != first[1]), (arm, seed)
