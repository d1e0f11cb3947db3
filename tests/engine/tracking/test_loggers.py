"""One run followed by wandb, TensorBoard and MLflow at once: what they hold of it, and what they must not."""

import json
import sys
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest

from tests.engine.tracking.stored import holding, wandb_run

PERSON, RECORDING, PLACE, OUT = "plantedperson", "plantedrecording", "plantedplace", "plantedoutput"


@pytest.fixture(scope="module")
def planted(cohorts, series_run, tmp_path_factory):
    """A finished run on a table whose persons, recordings and folder have names that are looked for later."""
    import wandb

    from engine.checkpoints.checkpoint import load_checkpoint
    from engine.train import train
    from tests.conftest import SERIES, composed

    base = tmp_path_factory.mktemp("followed")
    (base / PLACE).mkdir()
    manifest = next(cohorts.glob("synthetic/*/manifest.csv"))
    (base / PLACE / "data").symlink_to(manifest.parent)
    table = pd.read_csv(manifest, dtype=str, keep_default_na=False)
    for column in ("path", "series_path", "landmark_path"):
        table[column] = [f"data/{name}" if name else "" for name in table[column]]
    sides = load_checkpoint(series_run.best).split
    part_of = {recording: part for part in ("train", "val", "test") for recording in sides[part]}
    table["split"] = [part_of[recording] for recording in table["recording_id"]]
    table["subject_id"] = [f"{PERSON}-{one}" for one in table["subject_id"]]
    table["recording_id"] = [f"{RECORDING}-{one}" for one in table["recording_id"]]
    table.to_csv(base / PLACE / "own.csv", index=False)

    own = ("data.cohort", "protocol.", "logger=", "trainer.max_epochs", "evaluation.lines")
    kept = [one for one in SERIES if not one.startswith(own)]
    path = f"data.path={base / PLACE / 'own.csv'}"
    config = composed(
        *kept, "data=manifest", "data/clips=series", path, "data.channels=17", "protocol=given",
        "logger=[csv,wandb,tensorboard,mlflow]", f"logger.mlflow.save_dir={base}/mlruns",
        "trainer.max_epochs=2", "trainer.log_every_n_steps=1", "evaluation.lines=[]",
        output=base / OUT / "run",
    )  # fmt: skip
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["train.py", path])
        patch.setenv("WANDB_SILENT", "true")
        train(config, folder=base / OUT / "run")
    folder = base / OUT / "run"
    wandb_run(folder / "wandb")  # waits until all of it is on disk
    wandb.teardown()  # else its server takes a core beside all later tests of this process
    return SimpleNamespace(
        folder=folder,
        config=config,
        mlruns=base / "mlruns",
        metrics=json.loads((folder / "metrics.json").read_text()),
        record=json.loads((folder / "manifest.json").read_text()),
        history=pd.read_csv(folder / "history.csv"),
    )


def test_wandb_holds_config_curves_and_summary(planted):
    found = wandb_run(planted.folder / "wandb")
    assert found["config"]["model"]["optimizer"]["lr"] == planted.config["model"]["optimizer"]["lr"]
    assert found["config"]["run"]["data_digest"] == planted.record["data_digest"]
    epochs = [row["val/loss"] for row in found["history"] if "val/loss" in row]
    assert epochs == pytest.approx(planted.history["val/loss"].tolist(), rel=1e-5)
    steps = {row["trainer/global_step"]: row for row in found["history"] if "train/loss_step" in row}
    assert sorted(steps) == list(range(int(planted.history["step"].iloc[-1])))
    assert all(row["lr"] > 0 for row in steps.values())
    test = planted.metrics["test"]["mae"]
    names = ("test/mae", "test/mae_low", "test/mae_high")
    assert [found["summary"][name] for name in names] == [test["value"], test["low"], test["high"]]
    assert found["summary"]["best/epoch"] == planted.record["chosen"]["epoch"]
    assert found["summary"]["status"] == "finished"
    assert found["exit_code"] == 0
    assert (found["run"].job_type, found["run"].host) == ("run", "hidden")
    page = next((planted.folder / "wandb").glob("*/files/media/html/*.html")).read_text()
    assert "Reference lines" in page
    assert len(list((planted.folder / "wandb").glob("*/files/media/images/figures/*.png"))) >= 2


def test_tensorboard_holds_config_curves_and_summary(planted):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData

    events = EventAccumulator(str(planted.folder / "tensorboard"), size_guidance={"tensors": 0})
    events.Reload()
    epochs = [one.value for one in events.Scalars("val/loss")]
    assert epochs == pytest.approx(planted.history["val/loss"].tolist(), rel=1e-5)
    assert len(events.Scalars("train/loss_step")) == int(planted.history["step"].iloc[-1])
    test = planted.metrics["test"]["mae"]
    assert events.Scalars("test/mae_high")[0].value == pytest.approx(test["high"], rel=1e-6)
    text = events.Tensors("config/text_summary")[0].tensor_proto.string_val[0].decode()
    config = json.loads(text.removeprefix("```json\n").removesuffix("\n```"))
    assert config["seed"] == planted.config["seed"]
    assert "model.optimizer.lr" in (planted.folder / "tensorboard" / "hparams.yaml").read_text()
    assert "figures/training" in events.Tags()["images"]
    start = events.SummaryMetadata("_hparams_/session_start_info").plugin_data.content
    told = HParamsPluginData.FromString(start).session_start_info.hparams
    assert told["model.optimizer.lr"].number_value == planted.config["model"]["optimizer"]["lr"]


def test_mlflow_holds_config_curves_and_summary(planted):
    from mlflow.tracking import MlflowClient

    client = MlflowClient(f"file:{planted.mlruns}")
    run = client.get_run(planted.record["tracked"]["mlflow"]["id"])
    assert run.data.params["model.optimizer.lr"] == str(planted.config["model"]["optimizer"]["lr"])
    history = client.get_metric_history(run.info.run_id, "val/loss")
    assert [one.value for one in history] == pytest.approx(planted.history["val/loss"].tolist(), rel=1e-5)
    assert len(client.get_metric_history(run.info.run_id, "train/loss_step")) == int(
        planted.history["step"].iloc[-1]
    )
    test = planted.metrics["test"]["mae"]
    assert run.data.metrics["test/mae_low"] == pytest.approx(test["low"])
    assert run.info.status == "FINISHED"
    names = {Path(one.path).name for one in client.list_artifacts(run.info.run_id, "shared")}
    assert {"report.html", "training.png"} <= names
    assert run.data.tags["kind"] == "run"
    assert "mlflow.user" not in run.data.tags


def test_no_tracker_names_a_person_a_recording_or_a_place(planted):
    words = (PERSON, RECORDING, PLACE)
    assert holding(planted.folder / "checkpoints", PERSON, PLACE), "the search finds nothing where they are"
    assert holding(planted.folder, RECORDING), "the search finds nothing where they are"
    for folder in ("wandb", "tensorboard", "shared"):
        assert any((planted.folder / folder).iterdir())
        found = holding(planted.folder / folder, *words, OUT)
        # logs of wandb's own, which are never uploaded, name the folder that they are in
        assert {path: hits for path, hits in found.items() if "logs/debug" not in path or hits != [OUT]} == {}
    assert holding(planted.mlruns, *words, OUT) == {}


def test_the_command_ends_with_how_to_look_at_each(planted):
    from engine.tracking.run_tracking import looks

    told = dict(looks(planted.folder))
    assert told["wandb"] == f"wandb sync {planted.folder}/wandb"
    assert told["tensorboard"] == f"tensorboard --logdir {planted.folder}"
    assert told["mlflow"].endswith(f"mlflow ui --backend-store-uri file:{planted.mlruns}")
