"""The form of a network is computed without memory before it is built; clips are predicted once each."""

import resource
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from datamodules.feature_leakage.channels import LeakageError
from datamodules.manifests.known_visits import known_visits
from datamodules.splits.longitudinal import everybody_later
from datamodules.synthetic.cohort import synthetic_manifest
from engine.checkpoints.checkpoint import CheckpointError, load_checkpoint
from engine.inference.clip_predictions import blind_data, predict_clips, prediction_trainer, rebuild


def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def test_a_checkpoint_becomes_its_network(tiny_checkpoint):
    task = rebuild(load_checkpoint(tiny_checkpoint()))
    assert not task.training
    assert all(bool((value == 1).all()) for value in task.state_dict().values())


LARGE = {
    "one layer of 240 GB": {"dim": 250_000},
    "layers": {"blocks": 200, "dim": 4000},
    "other channels": {"channels": 3},
    "another kind": {
        "_target_": "models.zoo.sequence.lstm.LSTMTrunk",
        **{"channels": 2, "dim": 100_000, "layers": 5},
    },
}


@pytest.mark.parametrize("given", LARGE.values(), ids=LARGE)
def test_a_network_larger_than_its_weights_is_not_built(given, tiny_checkpoint):
    def change(record):
        trunk = record["config"]["model"]["network"]["depression"]["trunk"]
        if "_target_" in given:
            trunk.clear()
        trunk.update(given)
        network = record["config"]["model"]["network"]
        network["rarm"]["dim"] = network["heads"]["score"]["dim"] = trunk["dim"]

    checkpoint = load_checkpoint(tiny_checkpoint(change))
    before = peak()
    with pytest.raises(CheckpointError, match=r"tiny\.ckpt: its weights do not belong.*Nothing was built"):
        rebuild(checkpoint)
    assert peak() - before < 300_000  # kB, of 240 GB


def test_more_parts_than_weights_end_early(tiny_checkpoint, monkeypatch):
    monkeypatch.setattr("engine.inference.clip_predictions._SPARE_PARTS", 100)
    path = tiny_checkpoint(
        lambda r: r["config"]["model"]["network"]["depression"]["trunk"].update(blocks=256)
    )
    with pytest.raises(CheckpointError, match=r"more than .* parts"):
        rebuild(load_checkpoint(path))


def test_settings_that_make_no_network_are_named(tiny_checkpoint):
    path = tiny_checkpoint(lambda r: r["config"]["model"]["network"]["depression"]["trunk"].update(kernel=4))
    with pytest.raises(CheckpointError, match="kernel=4"):
        rebuild(load_checkpoint(path))


def test_weights_of_another_type_are_refused(tiny_checkpoint):
    path = tiny_checkpoint(weights=lambda state: {name: value.double() for name, value in state.items()})
    with pytest.raises(CheckpointError, match=r"torch\.float64"):
        rebuild(load_checkpoint(path))


def test_one_tensor_under_many_names_is_no_network(tiny_checkpoint):
    shared = torch.zeros(1000, 1000)
    path = tiny_checkpoint(weights=lambda state: state | {f"more.{i}": shared for i in range(50)})
    with pytest.raises(CheckpointError, match="larger than the file"):
        load_checkpoint(path)


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
    assert np.array_equal(found.features["personality"][:, 0], [0, 0, 2])
    assert found.table["context_available"].all()


def test_a_prediction_keeps_every_digit():
    value = float(torch.tensor(0.1))
    found = predict_clips(Trainer([batch([0], [0], [0.1])]), None, None)
    assert found.table["score"].item() == value


def test_a_network_without_personality_has_no_features():
    assert not predict_clips(Trainer([batch([0], [0], [1.0], personality=False)]), None, None).features


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


def test_a_blind_prediction_is_told_no_score_of_another_visit(tmp_path, monkeypatch):
    manifest = synthetic_manifest(
        root=tmp_path, n_subjects=6, n_visits=3, fps=12.0, duration_s=2.0, size=None, confound=1.0,
        habit_visibility=0.1, seed=0, landmarks=False, workers=1,
    )  # fmt: skip
    split, visits = everybody_later(manifest, 1), known_visits(manifest.table, 1)
    clips = {"_target_": "datamodules.clips.samplers.UniformClips", "length": 8, "stride": 1, "clips": 1}
    module = {
        "_target_": "datamodules.datamodule.ClipDataModule",
        "source": {"_target_": "datamodules.clips.dataset.SeriesClips"},
        "train_clips": {"_target_": "datamodules.clips.samplers.RandomClips", "length": 8},
        "eval_clips": clips,
    }
    config = {"data": {"module": module}}
    assert blind_data(config, manifest, split).manifest.table["score"].isna().all()
    # each first visit has the score of the second one, which is predicted
    own = pd.DataFrame({"person": visits.person, "place": visits.place, "score": manifest.table["score"]})
    second = own[own["place"] == 1].set_index("person")["score"]
    later = np.where(visits.known, second[visits.person], np.nan)
    planted = replace(visits, score=later)
    with pytest.raises(LeakageError, match=r"of visits that do not have them: \w+ \(.*, its own is"):
        blind_data(config, manifest, split, planted)
    monkeypatch.setattr("engine.inference.clip_predictions.known_visits", lambda *_, **__: planted)
    with pytest.raises(LeakageError, match="of visits that do not have them"):
        blind_data(config, manifest, split)
