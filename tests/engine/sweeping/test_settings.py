"""A study goes on with the settings that its trials had."""

import shutil
from pathlib import Path

import optuna
import pytest

from datamodules.splits.partition import Split
from engine.config.compose import ConfigError
from engine.sweeping.settings import (
    check_data_of,
    check_home,
    check_settings_of,
    check_validated,
    study_settings,
)
from engine.sweeping.space import read_space
from tests.conftest import composed

SEARCHED = ["lr=tag(log,interval(1e-4,1e-2))"]
TPE = {"_target_": "optuna.samplers.TPESampler", "seed": 0}
GRID = {"_target_": "engine.sweeping.grid.GridPoints"}


def settings(*overrides, searched=SEARCHED, sampler=TPE, output="run"):
    config = composed("experiment=mpdrm_series", *overrides, output=Path(output))
    return study_settings(config, read_space(searched, grid=sampler is GRID), sampler=sampler)


@pytest.fixture(scope="module")
def begun(tmp_path_factory):
    """The file of a study with one trial of the default settings."""
    file = tmp_path_factory.mktemp("begun") / "study.db"
    study = optuna.create_study(direction="maximize", study_name="one", storage=f"sqlite:///{file}")
    check_settings_of(study, settings())
    study.tell(study.ask(), 0.5)
    return file


@pytest.fixture
def study(begun, tmp_path):
    """A study on disk with one trial of the default settings; read anew as another process would."""
    shutil.copy(begun, tmp_path)
    return optuna.load_study(study_name="one", storage=f"sqlite:///{tmp_path}/study.db")


def test_what_changes_no_value_may_change(study, caplog):
    check_settings_of(study, settings("data.module.num_workers=3", "paths.data=/elsewhere", output="other"))
    check_settings_of(study, settings("lr=0.002"))  # it is searched
    assert not caplog.records


@pytest.mark.parametrize(
    ("override", "says"),
    [
        ("+trainer.gradient_clip_algorithm=value", r"trainer\.gradient_clip_algorithm: None there, value"),
        ("width=32", "width: 64 there, 32 here"),
        ("seed=3", "seed: 0 there, 3 here"),
        ("protocol.val=0.3", r"protocol\.val"),
        ("data.cohort.n_subjects=12", r"data\.manifest\.n_subjects"),
        ("trainer.max_epochs=99", r"trainer\.max_epochs: \d+ there, 99 here"),
        ("trainer.max_epochs=1", r"trainer\.max_epochs: \d+ there, 1 here"),
    ],
)
def test_a_study_of_other_settings_is_refused_by_the_difference(override, says, study):
    with pytest.raises(ConfigError, match=rf"study one: .*{says}.*study="):
        check_settings_of(study, settings(override))


def test_other_ranges_are_told_once_and_seeds_may_not_change(study, caplog):
    wider = settings(searched=["lr=interval(0.001,0.002)", "width=16,32"])
    check_settings_of(study, wider)
    assert "other ranges: lr: tag(log,interval(1e-4,1e-2)) there, interval(0.001,0.002) here" in caplog.text
    assert "width: None there, 16,32 here" in caplog.text
    caplog.clear()
    check_settings_of(study, wider)
    assert not caplog.records
    with pytest.raises(ConfigError, match="seed: None there, 0,1 here"):
        check_settings_of(study, settings(searched=[*SEARCHED, "seed=0,1"]))


def test_the_points_of_a_grid_may_not_change():
    study = optuna.create_study(direction="maximize")
    check_settings_of(study, settings(searched=["width=16,32"], sampler=GRID))
    study.tell(study.ask(), 0.5)
    with pytest.raises(ConfigError, match="width: 16,32 there, 16,32,64 here"):
        check_settings_of(study, settings(searched=["width=16,32,64"], sampler=GRID))


def test_a_study_whose_trials_all_failed_takes_what_was_mended():
    study = optuna.create_study(direction="maximize")
    check_settings_of(study, settings("width=16", "protocol.val=0.45"))
    study.tell(study.ask(), state=optuna.trial.TrialState.FAIL)
    check_settings_of(study, settings())
    study.tell(study.ask(), 0.5)
    check_settings_of(study, settings())
    with pytest.raises(ConfigError, match="width: 64 there, 16 here"):
        check_settings_of(study, settings("width=16"))


MANIFEST = {"_target_": "read", "path": "a.csv", "scale": "PHQ-8"}


def test_trials_of_a_study_have_the_same_data(study):
    check_data_of(study, MANIFEST, "first")
    check_data_of(study, MANIFEST | {"path": "moved.csv"}, "first")
    check_data_of(study, MANIFEST | {"scale": "PHQ-9"}, "of other settings")
    with pytest.raises(ConfigError, match=r"study one.*other data.*first there and have edited.*study="):
        check_data_of(study, MANIFEST, "edited")


def test_data_of_trials_that_all_failed_may_be_mended():
    study = optuna.create_study(direction="maximize")
    check_settings_of(study, settings())
    trial = study.ask()
    check_data_of(study, MANIFEST, "faulty")
    study.tell(trial, state=optuna.trial.TrialState.FAIL)
    check_settings_of(study, settings())
    check_data_of(study, MANIFEST, "mended")


def test_a_search_over_tables_has_data_of_each():
    study = optuna.create_study(direction="maximize")
    check_settings_of(study, settings(searched=["data.manifest.path=a.csv,b.csv"]))
    check_data_of(study, MANIFEST, "a")
    check_data_of(study, MANIFEST | {"path": "b.csv"}, "b")
    with pytest.raises(ConfigError, match="other data"):
        check_data_of(study, MANIFEST, "b")


def test_a_study_has_one_folder_which_may_move(tmp_path):
    study = optuna.create_study(direction="maximize", study_name="one")
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    check_home(study, tmp_path / "a")
    check_home(study, tmp_path / "a")
    with pytest.raises(ConfigError, match=r"study one: its trials lie in .*/a, and this folder is .*/b"):
        check_home(study, tmp_path / "b")
    (tmp_path / "a").rename(tmp_path / "c")
    check_home(study, tmp_path / "c")


def test_trials_validate_the_same_recordings_seed_by_seed():
    study = optuna.create_study(direction="maximize")
    one, other = (Split("holdout", train=("a",), val=(name,), test=("d",)) for name in ("b", "c"))
    check_validated(study, 0, [one])
    check_validated(study, 0, [one])
    check_validated(study, 1, [other])
    with pytest.raises(ConfigError, match="would validate other recordings than those before it"):
        check_validated(study, 0, [other])
