"""Patience is counted after the warm-up, and is a third of the training where none is given."""

import pytest
import pytorch_lightning as pl
import torch

from engine.training.early_stopping import EarlyStopping


class Told(pl.LightningModule):
    """Logs the values that it is told, one an epoch."""

    def __init__(self, values, warmup=0.0):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(1))
        self.values, self.warmup_epochs = values, warmup

    def training_step(self, batch, _):
        return self.weight.square().sum()

    def validation_step(self, batch, _):
        self.log("val/auc", self.values[self.current_epoch])

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=0.1)


def epochs(values, *, warmup=0.0, max_epochs=None, **settings):
    stop = EarlyStopping(monitor="val/auc", mode="max", **settings)
    trainer = pl.Trainer(
        accelerator="cpu", max_epochs=max_epochs or len(values), callbacks=[stop], logger=False,
        enable_progress_bar=False, enable_model_summary=False, enable_checkpointing=False,
    )  # fmt: skip
    trainer.fit(Told(values, warmup), [torch.zeros(1)], [torch.zeros(1)])
    return trainer.current_epoch


FALLING = [0.9, 0.5, 0.6, 0.7, 0.65, 0.64, 0.63, 0.62, 0.61, 0.6]


@pytest.mark.parametrize(
    ("warmup", "patience", "trained"),
    [
        (0.0, 2, 3),  # never better than the first
        (0.1, 2, 6),  # a part of the first epoch warms up: it does not count, 0.7 in the fourth does
        (1.0, 2, 6),
        (3.5, 2, 7),  # the fourth warms up too: 0.65 in the fifth is best
        (0.1, 3, 7),
    ],
)
def test_patience_counts_after_the_warm_up(warmup, patience, trained):
    assert epochs(FALLING, warmup=warmup, patience=patience) == trained


@pytest.mark.parametrize(("most", "patience"), [(4, 3), (9, 3), (10, 4), (12, 4), (60, 20)])
def test_patience_is_a_third_of_the_training_by_default(most, patience):
    values = [0.9, *[0.5] * (most - 1)]
    assert epochs(values, max_epochs=most) == min(most, patience + 1)


def test_a_third_of_nothing_is_refused():
    with pytest.raises(ValueError, match=r"patience=null is a third of trainer.max_epochs"):
        epochs([0.5], max_epochs=-1)
