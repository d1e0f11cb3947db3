import pytest
import pytorch_lightning as pl
import torch

from engine.tracking.step_metrics import StepMetrics


class Line(pl.LightningModule):
    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(1))

    def training_step(self, batch, batch_idx):
        return (self.weight - batch).square().mean()

    def configure_optimizers(self):
        optimizer = torch.optim.SGD([self.weight], lr=0.5)
        return [optimizer], [{"scheduler": torch.optim.lr_scheduler.StepLR(optimizer, 2), "interval": "step"}]


class Told:
    def __init__(self):
        self.rows = []

    def log_metrics(self, metrics, step=None):
        self.rows.append((step, metrics))


def rows(tmp_path, **settings):
    told = Told()
    trainer = pl.Trainer(
        accelerator="cpu", max_epochs=1, logger=False, enable_checkpointing=False, enable_progress_bar=False,
        enable_model_summary=False, default_root_dir=tmp_path, callbacks=[StepMetrics(trackers=[told])],
        **settings,
    )  # fmt: skip
    data = torch.utils.data.DataLoader(torch.ones(6, 1), batch_size=1)
    trainer.fit(Line(), data)
    return told.rows


def test_each_step_has_its_loss_and_the_rate_it_was_taken_with(tmp_path):
    weight, expected = 0.0, []
    for step in range(6):
        rate = 0.5 * 0.1 ** (step // 2)
        expected.append((step, {"train/loss_step": (weight - 1) ** 2, "lr": rate}))
        weight -= rate * 2 * (weight - 1)
    found = rows(tmp_path, log_every_n_steps=1)
    assert [step for step, _ in found] == [step for step, _ in expected]
    for (_, row), (_, wanted) in zip(found, expected, strict=True):
        assert row == pytest.approx(wanted)


def test_only_steps_whose_turn_it_is_are_told(tmp_path):
    assert [step for step, _ in rows(tmp_path, log_every_n_steps=3)] == [2, 5]


def test_accumulated_batches_are_one_step_and_their_loss_is_not_divided(tmp_path):
    found = rows(tmp_path, log_every_n_steps=1, accumulate_grad_batches=3)
    assert [step for step, _ in found] == [0, 1]
    assert found[0][1]["train/loss_step"] == pytest.approx(1.0)
