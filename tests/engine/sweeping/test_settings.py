"""A study goes on with the settings that its trials had."""

import shutil

import optuna
import pytest

from engine.config.compose import ConfigError
from engine.runs.optuna_settings import check_data_of, check_settings_of, study_settings
from engine.runs.optuna_study import ContinueStudy, data_check
from tests.conftest import hydra_config

BASE = ["sweep=optuna", "experiment=mpdrm_series"]


def settings(*overrides, searched=()):
    ContinueStudy()  # names the folders of trials
    config = hydra_config(*BASE, *overrides)
    config.hydra.overrides.task = [*BASE, *overrides, *searched]  # compose takes none of a search
    return study_settings(config)


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
    same = ["data.module.num_workers=3", "hydra.sweeper.n_trials=40", "paths.data=/elsewhere"]
    check_settings_of(study, settings(*same))
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
        ("hydra.sweeper.direction=minimize", "direction: maximize there, minimize here"),
    ],
)
def test_a_study_of_other_settings_is_refused_by_the_difference(override, says, study):
    changed = settings(override)
    with pytest.raises(ConfigError, match=rf"study one: .*{says}.*study_name="):
        check_settings_of(study, changed)


def test_other_ranges_are_told(study, caplog):
    check_settings_of(study, settings(searched=["model.optimizer.lr=interval(0.001,0.002)", "width=16,32"]))
    assert "other ranges: model.optimizer.lr" in caplog.text
    assert "width: None there, 16,32 here" in caplog.text


def test_a_study_whose_trials_all_failed_takes_what_was_mended(tmp_path):
    study = optuna.create_study(direction="maximize")
    check_settings_of(study, settings("width=16", "protocol.val=0.45"))
    study.tell(study.ask(), state=optuna.trial.TrialState.FAIL)
    check_settings_of(study, settings())
    study.tell(study.ask(), 0.5)
    check_settings_of(study, settings())
    with pytest.raises(ConfigError, match="width: 64 there, 16 here"):
        check_settings_of(study, settings("width=16"))


def test_a_running_trial_keeps_the_settings_until_it_is_marked_as_failed():
    study = optuna.create_study(direction="maximize")
    check_settings_of(study, settings())
    trial = study.ask()
    with pytest.raises(ConfigError, match=r"width: 64 there, 16 here.*Trial 0 is marked as running.*tell\(0"):
        check_settings_of(study, settings("width=16"))
    check_settings_of(study, settings())
    study.tell(trial, state=optuna.trial.TrialState.FAIL)
    check_settings_of(study, settings("width=16"))


MANIFEST = {"_target_": "read", "path": "a.csv", "scale": "PHQ-8"}


def test_trials_of_a_study_have_the_same_data(study):
    check_data_of(study, MANIFEST, "first")
    check_data_of(study, MANIFEST | {"path": "moved.csv"}, "first")
    check_data_of(study, MANIFEST | {"scale": "PHQ-9"}, "of other settings")
    with pytest.raises(ConfigError, match=r"study one.*other data.*first there and have edited.*study_name="):
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


def test_the_check_finds_the_study_of_a_sweep(study, tmp_path):
    place = {"storage": f"sqlite:///{tmp_path}/study.db"}
    data_check({"study_name": "one", **place})(MANIFEST, "first")
    with pytest.raises(ConfigError, match="other data"):
        check_data_of(study, MANIFEST, "edited")
    assert data_check({"study_name": "two", **place}) is None
    assert data_check({"study_name": "one", "storage": None}) is None


def test_a_study_of_before_is_told_and_keeps_its_settings_from_now_on(caplog):
    study = optuna.create_study(direction="maximize")
    study.tell(study.ask(), 0.5)
    check_settings_of(study, settings())
    assert "does not say" in caplog.text
    with pytest.raises(ConfigError, match="seed: 0 there, 3 here"):
        check_settings_of(study, settings("seed=3"))
