import pytest
import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import ModelCheckpoint

from engine.training.chosen import chosen


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
