import numpy as np
import pytest
import torch

from engine.inference.predictions import predict_clips, prediction_trainer


class Trainer:
    """Returns prepared batches, as the real one would after running the network."""

    world_size = 1

    def __init__(self, batches):
        self.batches = batches

    def predict(self, task, datamodule, return_predictions):
        assert return_predictions
        return self.batches


def batch(rows, clips, scores, *, attention=3, personality=True):
    count = len(rows)
    content = {
        "row": torch.tensor(rows),
        "clip": torch.tensor(clips),
        "score": torch.tensor(scores),
        "attention": torch.full((count, attention), 1 / attention),
        "context_available": torch.tensor([True] * count),
    }
    if personality:
        content["personality_feature"] = torch.tensor(rows)[:, None].float().expand(count, 4)
    ids = {"recording_id": "r", "subject_id": "s", "session_id": "v"}
    return content | {name: [f"{letter}{row}" for row in rows] for name, letter in ids.items()}


def test_clips_are_ordered_and_repeats_count_once():
    first = batch([2, 0], [0, 1], [5.0, 7.0])
    repeated = batch([0, 0], [1, 0], [7.0, 9.0], attention=5)
    found = predict_clips(Trainer([first, repeated, repeated]), None, None)
    assert list(zip(found.table["row"], found.table["clip"], strict=True)) == [(0, 0), (0, 1), (2, 0)]
    assert found.table["score"].tolist() == [9.0, 7.0, 5.0]
    assert found.table["recording_id"].tolist() == ["r0", "r0", "r2"]
    assert [len(weights) for weights in found.attention] == [5, 3, 3]
    assert np.array_equal(found.personality[:, 0], [0, 0, 2])
    assert found.table["context_available"].all()


def test_a_prediction_keeps_every_digit():
    value = float(torch.tensor(0.1))
    found = predict_clips(Trainer([batch([0], [0], [0.1])]), None, None)
    assert found.table["score"].item() == value


def test_a_network_without_personality_has_no_features():
    assert predict_clips(Trainer([batch([0], [0], [1.0], personality=False)]), None, None).personality is None


def test_the_trainer_for_predictions_keeps_the_precision_and_leaves_training_out(compose_run):
    config = compose_run("trainer.precision=bf16-mixed")
    trainer = prediction_trainer(config)
    assert trainer.precision == "bf16-mixed"
    assert not trainer.loggers
    assert not trainer.checkpoint_callbacks


@pytest.mark.skipif(torch.cuda.is_available(), reason="a GPU is there")
def test_a_run_from_a_gpu_is_evaluated_on_the_cpu_where_there_is_none(compose_run):
    trainer = prediction_trainer(compose_run("trainer=ddp"), one_device=True)
    assert trainer.accelerator.__class__.__name__ == "CPUAccelerator"
    assert trainer.world_size == 1
