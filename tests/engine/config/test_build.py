import pytest
import torch

from engine.config.build import build, build_all
from engine.config.targets import ForbiddenTarget
from engine.training.callbacks import History


def test_builds_with_plain_containers():
    optimizer = build(
        {"_target_": "torch.optim.AdamW", "_partial_": True, "betas": [0.5, 0.9]}, key="optimizer"
    )
    built = optimizer([torch.nn.Parameter(torch.zeros(1))])
    assert type(built.defaults["betas"]) in (list, tuple)
    assert tuple(built.defaults["betas"]) == (0.5, 0.9)


def test_injected_objects_arrive_as_they_are():
    parameters = [torch.nn.Parameter(torch.zeros(2))]
    built = build({"_target_": "torch.optim.SGD", "lr": 0.5}, key="optimizer", params=parameters)
    assert built.param_groups[0]["params"][0] is parameters[0]


def test_null_builds_nothing_and_is_left_out_of_a_group(tmp_path):
    assert build(None, key="x") is None
    nodes = {
        "off": None,
        "history": {"_target_": "engine.training.callbacks.History", "path": str(tmp_path / "h.csv")},
    }
    assert [type(built) for built in build_all(nodes, key="callbacks")] == [History]
    assert build_all(None, key="callbacks") == []


def test_the_constructors_own_error_arrives_with_the_key():
    with pytest.raises(TypeError, match="learning_rate") as caught:
        build({"_target_": "torch.optim.SGD", "learning_rate": 1}, key="model.optimizer", params=[])
    with pytest.raises(TypeError) as caught:
        build({"_target_": "torch.nn.LayerNorm", "shape": 3}, key="model.norm")
    assert any("model.norm" in note for note in caught.value.__notes__)


def test_a_foreign_target_is_not_built():
    with pytest.raises(ForbiddenTarget):
        build({"_target_": "os.mkdir", "path": "x"}, key="x")


def test_a_negative_control_is_a_manifest_around_a_manifest(compose_run, cohorts):
    small = {"n_subjects": 10, "n_visits": 2, "fps": 10, "duration_s": 2, "workers": 1}
    settings = [f"data.cohort.{name}={value}" for name, value in small.items()]
    config = compose_run(
        "experiment=mpdrm_series", "data=permuted_series", f"paths.data={cohorts}", *settings
    )
    moved = build(config["data"]["manifest"], key="data.manifest")
    own = build(config["data"]["manifest"]["manifest"], key="data.manifest.manifest")
    assert moved.table["recording_id"].tolist() == own.table["recording_id"].tolist()
    assert sorted(moved.table["score"]) == sorted(own.table["score"])
    assert moved.table["score"].tolist() != own.table["score"].tolist()
    assert "negative control" in moved.notes[-1]
    assert moved.truth == own.truth
