"""From raw videos of drawn faces to predictions, with the commands as they are composed."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest
from hydra import compose, initialize_config_dir

from datamodules.synthetic.cohort import synthetic_manifest
from datamodules.synthetic.video import write_video
from engine.checkpoints.checkpoint import load_checkpoint
from engine.config.compose import ConfigError, plain_config, root_keys
from engine.config.source_code import ROOT
from engine.evaluate import evaluate
from engine.predict import predict
from engine.preprocess import preprocess
from engine.train import train
from tests.conftest import composed

ASKED = {"num_workers": None, "trainer": None, "evaluation": None, "accept_preprocessing": False}
SMALL = ["debug=fast", "width=16", "+trainer.enable_progress_bar=false", "logger=none", "protocol.val=0.3"]
HALF = ["data.module.source.video.height=56", "data.module.source.video.width=56"]


def cut(source, output, *overrides):
    with initialize_config_dir(str(ROOT / "conf"), version_base="1.3"):
        given = [f"input={source}", f"output={output}", f"paths.output={output}/logs/1", *overrides]
        config = plain_config(compose("preprocess", overrides=given), keys=root_keys("preprocess"))
    preprocess(config, folder=output / "logs" / "1")
    return output / "manifest.csv"


def trained(cache, folder, *overrides):
    config = composed(*overrides, f"data.path={cache}", *SMALL, output=folder)
    train(config, folder=folder)
    return folder / "checkpoints" / "best.ckpt"


@pytest.mark.slow
def test_raw_videos_are_trained_on_evaluated_and_predicted(face_models, tmp_path):
    sizes = {"n_subjects": 14, "n_visits": 1, "fps": 12.5, "duration_s": 3.0, "size": 192}
    facts = {"confound": 0.0, "habit_visibility": 0.1, "seed": 0, "workers": 1}
    raw = synthetic_manifest(root=tmp_path / "synthetic", **sizes, **facts)
    cache = cut(raw.file, tmp_path / "cache")
    assert len(pd.read_csv(cache)) == 14
    best = trained(cache, tmp_path / "run", "data=faces", *HALF)
    record = json.loads((tmp_path / "cache" / "preprocessing.json").read_text())
    assert load_checkpoint(best).preprocessing.plain() == record

    evaluate(ASKED | {"ckpt_path": str(best), "manifest": str(cache)}, folder=tmp_path / "eval")
    tested, again = (pd.read_csv(tmp_path / name / "predictions.csv") for name in ("run", "eval"))
    assert np.array_equal(tested["score_prediction"], again["score_prediction"])

    mine = tmp_path / "mine"
    mine.mkdir()
    names = tested["recording_id"][tested["split"] == "test"].tolist()
    for name in names:
        shutil.copy(raw.root / "videos" / f"{name}.mp4", mine)
    noise = np.random.default_rng(0).integers(0, 255, (30, 96, 96, 3), dtype=np.uint8)
    write_video(mine / "nobody.mp4", noise, fps=10.0)
    (mine / "broken.mp4").write_bytes(b"no video")
    found = predict(ASKED | {"ckpt_path": str(best), "input": str(mine)}, folder=tmp_path / "out")
    found = found.set_index("recording_id")
    expected = tested.set_index("recording_id")["score_prediction"].loc[names]
    np.testing.assert_allclose(found.loc[names, "prediction"], expected, rtol=1e-5)
    assert sorted(found.index[found["prediction"].isna()]) == ["broken", "nobody"]
    assert "no face in any of its 30 frames" in found.loc["nobody", "unmeasured"]
    assert found.loc["broken", "unmeasured"].startswith("preprocessing refused it: ")
    assert (tmp_path / "out" / "faces" / "faces.html").is_file()

    alone = predict(
        ASKED | {"ckpt_path": str(best), "input": str(mine / "nobody.mp4")}, folder=tmp_path / "none"
    )
    assert alone["prediction"].isna().tolist() == [True]
    other = cut(mine / f"{names[0]}.mp4", tmp_path / "other", "aligner.margin=0.4")
    with pytest.raises(ConfigError, match=r"settings\.aligner\.margin: 0\.25 there, 0\.4 here"):
        predict(ASKED | {"ckpt_path": str(best), "input": str(other)}, folder=tmp_path / "refused")

    series = trained(cache, tmp_path / "series", "experiment=mpdrm_series", "data=faces_series")
    found = predict(ASKED | {"ckpt_path": str(series), "input": str(mine)}, folder=tmp_path / "out2")
    assert found["prediction"].notna().sum() == len(names)
