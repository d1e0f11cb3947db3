"""`predict.py`: a video, a folder or a manifest to a table, without labels."""

import logging
import runpy
import shutil
import sys

import numpy as np
import pandas as pd
import pytest

from datamodules.manifests.manifest import ManifestError
from engine.checkpoints.checkpoint import load_checkpoint
from engine.config.source_code import ROOT
from engine.evaluate import evaluate
from engine.predict import predict

ARGUMENTS = {"num_workers": None, "trainer": None}


def test_a_series_file_gets_a_row_and_enrolment_is_said_to_be_unavailable(
    series_run, cohorts, tmp_path, caplog
):
    source = next(cohorts.glob("synthetic/*/series/P0000_V1.npz"))
    with caplog.at_level(logging.INFO):
        table = predict(
            ARGUMENTS | {"ckpt_path": str(series_run.best), "input": str(source)}, folder=tmp_path
        )
    assert table["recording_id"].tolist() == ["P0000_V1"]
    assert table["subject_id"].tolist() == ["unknown"]
    assert not table["context_available"].any()
    assert "without other visits of the person" in caplog.text
    last = dict(line.split(maxsplit=1) for line in caplog.messages[-1].splitlines()[1:])
    assert last["table"] == str(tmp_path / "predictions.csv")
    assert last["result"].startswith("1 of 1 recordings predicted")
    assert "(trained on SYNTHETIC persons)" in last["checkpoint"]
    assert "changes" not in last  # who came once cannot have changed
    written = pd.read_csv(tmp_path / "predictions.csv")
    assert written["prediction"].to_numpy() == pytest.approx(table["prediction"].to_numpy())
    assert (written["low"] <= written["prediction"]).all()


def test_a_manifest_says_whose_recordings_belong_together(series_run, cohorts, tmp_path, caplog):
    caplog.set_level(logging.INFO)
    source = next(cohorts.glob("synthetic/*/manifest.csv"))
    labels = ["score", "binary", "scale"]
    table = pd.read_csv(source, dtype=str, keep_default_na=False)
    blank = table[[c for c in table if c not in labels and not c.startswith(("item_", "trait_"))]].copy()
    for column in ("path", "series_path", "landmark_path"):
        blank[column] = [str(source.parent / name) if name else "" for name in blank[column]]
    blank.to_csv(tmp_path / "mine.csv", index=False)
    found = predict(
        ARGUMENTS | {"ckpt_path": str(series_run.best), "input": str(tmp_path / "mine.csv")},
        folder=tmp_path / "out",
    )
    assert found["context_available"].all()
    assert "\n  changes " in caplog.messages[-1]
    trained = pd.read_csv(series_run.folder / "predictions.csv").set_index("recording_id")
    again = found.set_index("recording_id").loc[trained.index]
    for head in ("score", "binary"):
        expected = trained[f"{head}_prediction"].to_numpy()
        assert again[f"{head}_prediction"].to_numpy() == pytest.approx(expected, rel=1e-5)
    assert set(found["decision"]) <= {0, 1}


def test_a_file_that_is_not_the_one_its_row_states_is_refused(series_run, cohorts, tmp_path):
    source = next(cohorts.glob("synthetic/*/manifest.csv"))
    table = pd.read_csv(source, dtype=str, keep_default_na=False).head(2)
    table["series_path"] = [str(source.parent / name) for name in table["series_path"]]
    table.assign(path="", landmark_path="", content_hash="0" * 64).to_csv(tmp_path / "mine.csv", index=False)
    given = {"ckpt_path": str(series_run.best), "input": str(tmp_path / "mine.csv")}
    with pytest.raises(ManifestError, match=r"content_hash.*is not the SHA-256 of the file"):
        predict(ARGUMENTS | given, folder=tmp_path / "out")
    with pytest.raises(ManifestError, match=r"content_hash.*is not the SHA-256 of the file"):
        evaluate(
            ARGUMENTS
            | {"ckpt_path": given["ckpt_path"], "manifest": given["input"], "evaluation": None}
            | {"paths": {"data": str(cohorts)}},
            folder=tmp_path / "eval",
        )


def test_a_folder_with_one_video(pixel_run, cohorts, tmp_path):
    video = next(cohorts.glob("synthetic/*/videos/P0003_V1*"))
    (tmp_path / "mine" / "deep").mkdir(parents=True)
    shutil.copy(video, tmp_path / "mine" / "deep" / f"first{video.suffix}")
    (tmp_path / "mine" / "notes.txt").write_text("not a video")
    table = predict(
        ARGUMENTS | {"ckpt_path": str(pixel_run.best), "input": str(tmp_path / "mine")},
        folder=tmp_path / "out",
    )
    assert table["recording_id"].tolist() == ["deep/first"]
    assert sorted(path.name for path in (tmp_path / "mine").iterdir()) == ["deep", "notes.txt"]
    assert table["prediction"].between(0, 63).all()
    assert load_checkpoint(pixel_run.best).config["experiment_name"] == "mpdrm"


def test_a_recording_without_a_measurement_has_a_row_and_no_prediction(series_run, cohorts, tmp_path):
    source = next(cohorts.glob("synthetic/*/series/P0000_V1.npz"))
    inputs = tmp_path / "mine"
    inputs.mkdir()
    shutil.copy(source, inputs / "seen.npz")
    with np.load(source) as held:
        arrays = {name: held[name] for name in held}
    np.savez(inputs / "nobody.npz", **arrays | {"valid": np.zeros(len(arrays["values"]), bool)})
    (inputs / "._seen.npz").write_bytes(b"twin")
    for given, out in ((inputs, "both"), (inputs / "nobody.npz", "alone")):
        arguments = ARGUMENTS | {"ckpt_path": str(series_run.best), "input": str(given)}
        predict(arguments, folder=tmp_path / out)
        found = pd.read_csv(tmp_path / out / "predictions.csv").set_index("recording_id")
        assert np.isnan(found.loc["nobody", "prediction"])
        assert found.loc["nobody", "valid_share"] == 0
        assert "no measurement" in found.loc["nobody", "unmeasured"]
        if out == "both":
            assert sorted(found.index) == ["nobody", "seen"]
            assert np.isfinite(found.loc["seen", "prediction"])
            assert pd.isna(found.loc["seen", "unmeasured"])


@pytest.mark.parametrize("known", [[float("nan"), 1.0], [float("nan")], []])
def test_the_command_fails_where_nothing_is_predicted(known, tmp_path, monkeypatch, capsys):
    table = pd.DataFrame({"prediction": known})
    monkeypatch.setattr("engine.predict.predict", lambda *_, **__: table)
    words = [f"ckpt_path={__file__}", f"input={tmp_path}", f"hydra.run.dir={tmp_path}"]
    monkeypatch.setattr(sys, "argv", ["predict.py", *words])
    monkeypatch.setattr(logging.root, "handlers", [])  # those that Hydra begins end with this test
    if table["prediction"].notna().any():
        runpy.run_path(str(ROOT / "predict.py"), run_name="__main__")
        return
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(str(ROOT / "predict.py"), run_name="__main__")
    assert ended.value.code == 1
    assert f"none of {len(known)} recordings is predicted" in capsys.readouterr().err
