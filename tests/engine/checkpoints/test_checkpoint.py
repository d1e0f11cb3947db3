import os
import pickle

import pytest
import torch

from engine.checkpoints.checkpoint import (
    KEY,
    TRAINED,
    CheckpointError,
    add_calibration,
    all_weights,
    digest,
    load_checkpoint,
    new_record,
    seal,
    with_weights,
)
from engine.checkpoints.recorded_config import recorded
from engine.config.targets import ForbiddenTarget


@pytest.fixture
def state():
    generator = torch.Generator().manual_seed(0)
    return {
        "b.weight": torch.randn(3, 2, generator=generator),
        "a.steps": torch.tensor(7),
        "c.half": torch.randn(4, generator=generator).bfloat16(),
        "d.flag": torch.tensor([True, False]),
    }


@pytest.fixture
def record(tiny_config):
    return new_record(
        config=tiny_config,
        statistics={"series_mean": torch.tensor([1.0, 2.0]), "prevalence": 0.25},
        data_digest="abc",
        split={"name": "holdout", "train": ("r1",), "val": ("r2",), "test": ("r3",)},
        seen={"salt": "0" * 32, "train": {"persons": [], "files": []}, "val": {"persons": [], "files": []}},
    )


@pytest.fixture
def saved(tmp_path, state, record):
    path = tmp_path / "best.ckpt"
    torch.save({"state_dict": state, KEY: seal(state, record), "epoch": 3}, path)
    return path


@pytest.fixture
def both(tmp_path, state, record):
    """A checkpoint with an average of its weights."""
    path = tmp_path / "both.ckpt"
    trained = {name: value.clone().fill_(1) for name, value in state.items()}
    content = {"state_dict": state, TRAINED: trained, "averaging_state": {"n_averaged": torch.tensor(9)}}
    torch.save(content | {KEY: seal(all_weights(content), record)}, path)
    return path


def test_either_set_of_weights_is_taken(both, saved, state):
    add_calibration(both, {"binary_prediction": [0.1]})
    loaded = load_checkpoint(both)
    assert (
        loaded.weights == with_weights(loaded, "ema").weights == with_weights(loaded, None).weights == "ema"
    )
    assert torch.equal(loaded.state_dict["b.weight"], state["b.weight"])
    raw = with_weights(loaded, "raw")
    assert (raw.weights, raw.calibration) == ("raw", {})  # which is of what the average predicted
    assert torch.equal(raw.state_dict["b.weight"], torch.ones(3, 2))
    alone = load_checkpoint(saved)
    assert alone.weights is None
    assert with_weights(alone, "raw") is alone
    with pytest.raises(CheckpointError, match=r"kept no average.*callbacks/ema=average"):
        with_weights(alone, "ema")
    with pytest.raises(CheckpointError, match="weights=best: write ema or raw"):
        with_weights(loaded, "best")


def test_altered_trained_weights_are_refused(both):
    def change(content):
        content[TRAINED]["b.weight"][0, 0] += 1e-7

    edit(both, change)
    with pytest.raises(CheckpointError, match="digest does not match"):
        load_checkpoint(both)


@pytest.mark.parametrize(
    "change",
    [
        lambda content: content.pop("averaging_state"),
        lambda content: content.pop(TRAINED),
        lambda content: content[TRAINED].pop("b.weight"),
        lambda content: content[TRAINED].update({"b.weight": torch.ones(2, 3)}),
        lambda content: content.update({TRAINED: [1]}),
    ],
)
def test_half_an_average_is_refused(both, change):
    edit(both, change)
    with pytest.raises(CheckpointError, match="not of one network"):
        load_checkpoint(both)


def edit(path, change, *, reseal=False):
    content = torch.load(path, weights_only=True)
    change(content)
    if reseal:
        record = {name: value for name, value in content[KEY].items() if name != "digest"}
        content[KEY] = seal(content["state_dict"], record)
    torch.save(content, path)


def test_round_trip(saved, state, tiny_config):
    loaded = load_checkpoint(saved)
    assert loaded.config == recorded(tiny_config)
    assert loaded.config["data"]["module"] == tiny_config["data"]["module"]
    assert loaded.statistics == {"series_mean": [1.0, 2.0], "prevalence": 0.25}
    assert loaded.split["test"] == ["r3"]
    assert loaded.calibration == {}
    assert all(torch.equal(loaded.state_dict[name], state[name]) for name in state)


def test_calibration_is_added_with_a_new_digest_and_nothing_else_changes(saved):
    before = torch.load(saved, weights_only=True)
    add_calibration(saved, {"binary_prediction": [0.1, 0.375]})
    assert load_checkpoint(saved).calibration == {"binary_prediction": [0.1, 0.375]}
    after = torch.load(saved, weights_only=True)
    assert after["epoch"] == before["epoch"]
    assert after[KEY]["config"] == before[KEY]["config"]
    assert [file.name for file in saved.parent.iterdir()] == ["best.ckpt"]


def _weight(content):
    content["state_dict"]["b.weight"][0, 0] += 1e-7


def _dtype(content):
    content["state_dict"]["d.flag"] = content["state_dict"]["d.flag"].to(torch.uint8)


def _name(content):
    content["state_dict"]["z"] = content["state_dict"].pop("b.weight")


def _config(content):
    content[KEY]["config"]["seed"] = 1


def _split(content):
    content[KEY]["split"]["test"] = ["r1"]


def _calibration(content):
    content[KEY]["calibration"] = {"binary_prediction": [0.9]}


@pytest.mark.parametrize("change", [_weight, _dtype, _name, _config, _split, _calibration])
def test_an_altered_file_is_refused(saved, change):
    edit(saved, change)
    with pytest.raises(CheckpointError, match="digest does not match"):
        load_checkpoint(saved)


@pytest.mark.parametrize(
    "target",
    [
        *("os.system", "subprocess.run", "models.task.torch.load", "datamodules.manifests.manifest.Path"),
        *({}, [1], {"_target_": "models.task.Task"}, None, 3),
    ],
)
def test_a_foreign_target_is_refused_even_with_a_fitting_digest(saved, target):
    edit(saved, lambda content: content[KEY]["config"]["model"].update(_target_=target), reseal=True)
    with pytest.raises(ForbiddenTarget, match=r"model\._target_"):
        load_checkpoint(saved)


class _Runs:
    def __reduce__(self):
        return (os.mkdir, ("executed",))


def test_a_pickle_that_runs_code_is_refused_and_does_not_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    torch.save({"state_dict": _Runs()}, "evil.ckpt")
    with pytest.raises(CheckpointError, match="holds code"):
        load_checkpoint("evil.ckpt")
    assert not (tmp_path / "executed").exists()


def test_other_files_are_refused(tmp_path, state):
    with pytest.raises(CheckpointError, match="no such file"):
        load_checkpoint(tmp_path / "absent.ckpt")
    for text in ("not a checkpoint", "recording_id,score\n", "r0\n", ""):  # each fails in another way
        (tmp_path / "text.ckpt").write_text(text)
        with pytest.raises(CheckpointError, match=r"text\.ckpt"):
            load_checkpoint(tmp_path / "text.ckpt")
    torch.save({"state_dict": state}, tmp_path / "other.ckpt")
    with pytest.raises(CheckpointError, match="no checkpoint of this project"):
        load_checkpoint(tmp_path / "other.ckpt")
    torch.save([1, 2], tmp_path / "list.ckpt")
    with pytest.raises(CheckpointError, match="no weights"):
        load_checkpoint(tmp_path / "list.ckpt")


def test_a_truncated_file_is_refused(saved):
    saved.write_bytes(saved.read_bytes()[:-200])
    with pytest.raises(CheckpointError):
        load_checkpoint(saved)


def test_another_format_is_refused(saved):
    edit(saved, lambda content: content[KEY].update(format=99), reseal=True)
    with pytest.raises(CheckpointError, match="format 99"):
        load_checkpoint(saved)


def test_digest_does_not_depend_on_order_and_survives_pickling(state, record):
    reversed_state = dict(reversed(state.items()))
    assert digest(state, record) == digest(reversed_state, dict(reversed(record.items())))
    assert digest(pickle.loads(pickle.dumps(state)), record) == digest(state, record)
