import pytest
from omegaconf import OmegaConf

from engine.tracking.sweep_place import place_of

CONFIG = {"experiment_name": "mpdrm", "seed": 3}


def sweep(folder, task, params):
    folder.mkdir(parents=True)
    hydra = {"overrides": {"task": task}, "sweeper": {"params": params}}
    OmegaConf.save(OmegaConf.create({"hydra": hydra}), folder / "multirun.yaml")


def test_a_run_by_itself_has_no_group(tmp_path):
    assert place_of(tmp_path / "run", CONFIG, whole=None) == ("mpdrm", "run", None)


def test_folds_share_a_group_that_tells_no_folder(tmp_path):
    whole = tmp_path / "anna"
    first, second = (place_of(whole / name, CONFIG, whole=whole) for name in ("fold_0", "repeat_1/fold_0"))
    assert first[:2] == ("mpdrm fold_0", "fold")
    assert second[0] == "mpdrm repeat_1 fold_0"
    assert first[2] == second[2] != place_of(tmp_path / "b" / "fold_0", CONFIG, whole=tmp_path / "b")[2]
    assert "anna" not in first[2]


@pytest.mark.parametrize(
    ("task", "params", "expected"),
    [
        (["lr=1e-3"], {"seed": "0,1,2"}, ("mpdrm seed 3", "seed")),
        (["seed=0,1,2"], {}, ("mpdrm seed 3", "seed")),
        (["seed=0,1,2", "lr=1e-3,1e-4"], {}, ("mpdrm trial 7", "trial")),
        (["seed=1"], {"model.optimizer.lr": "interval(0.1, 1)"}, ("mpdrm trial 7", "trial")),
    ],
)
def test_jobs_of_a_sweep_are_seeds_or_trials_of_one_group(tmp_path, task, params, expected):
    sweep(tmp_path / "sweep", task, params)
    found = place_of(tmp_path / "sweep" / "7", CONFIG, whole=None)
    assert found[:2] == expected
    assert found[2] == place_of(tmp_path / "sweep" / "8", CONFIG, whole=None)[2] is not None


def test_trials_of_a_study_and_their_seeds_share_its_group(tmp_path):
    (tmp_path / ".study.lock").touch()
    one, seeded = (place_of(tmp_path / name, CONFIG, whole=None) for name in ("4", "5/seed_1"))
    assert (one[:2], seeded[:2]) == (("mpdrm trial 4", "trial"), ("mpdrm trial 5 seed 1", "trial"))
    assert one[2] == seeded[2] is not None
