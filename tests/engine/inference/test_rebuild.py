"""The form of a network is computed without memory and held against the weights before it is built."""

import resource

import pytest
import torch

from engine.checkpoints.checkpoint import CheckpointError, load_checkpoint
from engine.inference.rebuild import rebuild


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
        "_target_": "models.trunks.lstm.LSTMTrunk",
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
    monkeypatch.setattr("engine.inference.rebuild._SPARE_PARTS", 100)
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
