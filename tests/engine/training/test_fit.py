from pathlib import Path

import pytest
import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import ModelCheckpoint

from datamodules.splits.partition import Split
from engine.checkpoints.checkpoint import load_checkpoint
from engine.config.build import build
from engine.inference.clip_predictions import ClipPredictions, Predictor, rebuild
from engine.inspection.filmstrips import filmstrips
from engine.runs.provenance import read_manifest_json
from engine.training.fit import chosen


def everything(manifest):
    return Split(name="all", train=(), val=(), test=tuple(manifest.table["recording_id"]))


def test_a_rebuilt_network_has_the_weights_of_its_file_and_downloads_nothing(series_run):
    checkpoint = load_checkpoint(series_run.best)
    task = rebuild(checkpoint)
    assert not task.training
    assert all(torch.equal(value, checkpoint.state_dict[name]) for name, value in task.state_dict().items())


def test_predictions_do_not_depend_on_how_people_are_packed(series_run):
    checkpoint = load_checkpoint(series_run.best)
    config = series_run.config
    manifest = build(config["data"]["manifest"], key="data.manifest")
    tables = []
    for size in (4, 64):
        packed = config | {
            "data": config["data"] | {"module": config["data"]["module"] | {"max_eval_clips": size}}
        }
        part = Predictor.of(checkpoint, packed)(manifest, everything(manifest))
        tables.append(part.table)
    assert torch.allclose(*(torch.tensor(table["score"].to_numpy()) for table in tables), atol=1e-4)
    assert tables[0]["recording_id"].tolist() == tables[1]["recording_id"].tolist()


def test_filmstrips_show_the_frames_the_network_saw(pixel_run):
    run = pixel_run
    checkpoint = load_checkpoint(run.best)
    manifest = build(checkpoint.config["data"]["manifest"], key="data.manifest")
    clips = Predictor.of(checkpoint, run.config)(manifest, everything(manifest))
    strips = filmstrips(clips, manifest, run.config)
    assert len(strips) == run.config["evaluation"]["filmstrips"] == 3
    for strip in strips:
        assert strip.frames.shape == (8, 32, 32, 3)
        assert strip.frames.std() > 1
        assert abs(float(strip.weights.sum()) - 1) < 1e-4
    shown = (Path(run.folder) / "report.html").read_text()
    tested = clips.table[clips.table["recording_id"].isin(checkpoint.split["test"])]
    assert shown.count("data:image") > 3
    assert any(name in shown for name in tested["recording_id"])
    off = run.config | {"evaluation": run.config["evaluation"] | {"filmstrips": 0}}
    assert filmstrips(clips, manifest, off) == ()
    blind = ClipPredictions(table=clips.table, attention=())
    assert filmstrips(blind, manifest, run.config) == ()


def test_a_failed_run_says_so(small_run, tmp_path):
    with pytest.raises(ValueError, match="kernel"):
        small_run(tmp_path / "run", "model.network.depression.trunk.kernel=4")
    content = read_manifest_json(tmp_path / "run")
    assert content["status"].startswith("failed: ValueError")


class Falling(pl.LightningModule):
    """Logs an AUC that rises and an error that rises as well: the first epoch has the best error."""

    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(1))

    def training_step(self, batch, _):
        return (self.weight - 1).square().sum()

    def validation_step(self, batch, _):
        self.log_dict({"val/auc": 0.5 + self.current_epoch / 10, "val/mae": 5.0 + self.current_epoch})

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=0.1)


def fitted(folder, *monitors):
    keep = [
        ModelCheckpoint(dirpath=folder, filename=name.replace("/", "_"), monitor=name, mode=mode)
        for name, mode in monitors
    ]
    settings = {"accelerator": "cpu", "logger": False, "enable_progress_bar": False}
    trainer = pl.Trainer(
        max_epochs=3, callbacks=keep, enable_model_summary=False, default_root_dir=folder, **settings
    )
    trainer.fit(Falling(), [torch.zeros(1)], [torch.zeros(1)])
    return trainer


MAE, AUC = ("val/mae", "min"), ("val/auc", "max")


@pytest.mark.parametrize("order", [(MAE, AUC), (AUC, MAE)])
@pytest.mark.parametrize(("monitor", "value", "epoch"), [("val/auc", 0.7, 2), ("val/mae", 5.0, 0)])
def test_what_the_run_selects_by_chooses_whatever_else_is_kept(
    order, monitor, value, epoch, tmp_path, caplog
):
    path, score, remark = chosen(fitted(tmp_path, *order), tmp_path, monitor=monitor)
    assert score == pytest.approx(value)
    assert path.name == f"{monitor.replace('/', '_')}.ckpt"
    assert torch.load(path, weights_only=True)["epoch"] == epoch
    assert remark is None
    assert "is chosen by" not in caplog.text


def test_a_choice_by_something_else_is_told(tmp_path, caplog):
    _, score, remark = chosen(fitted(tmp_path, MAE), tmp_path, monitor="val/auc")
    assert score == pytest.approx(5.0)
    assert remark == "The checkpoint is chosen by val/mae, as none was kept by val/auc."
    assert remark in caplog.text
