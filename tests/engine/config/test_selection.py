import pytest

from datamodules.feature_leakage.channels import LeakageError
from engine.config.compose import ConfigError
from engine.config.selection import (
    check_monitors,
    check_run,
    check_sweep,
    direction_of,
    mode_of,
    monitored,
    reads_test,
    with_modes,
)
from engine.train import train
from engine.training.checks import check_model
from evaluation.metrics.catalog import METRICS
from models.objective import Objective

LOGGED = {"val/auc", "val/mae", "val/loss", "val/score", "val/binary"}


def config(monitor="val/auc", mode=None, devices=1, **callbacks):
    return {
        "selection": {"monitor": monitor, "mode": mode},
        "callbacks": callbacks or None,
        "trainer": {"devices": devices},
        "model": {},
    }


def test_validation_may_select():
    check_run(config(best={"monitor": "val/mae", "mode": "min"}, last={"monitor": None}, off=None))
    check_run(config("val/mae", "min"))
    check_run(config("val/auc", "max"))


@pytest.mark.parametrize("monitor", ["test/auc", "train/loss", "auc", "val_auc"])
def test_nothing_else_may(monitor):
    with pytest.raises(LeakageError, match=monitor):
        check_run(config(monitor))
    with pytest.raises(LeakageError, match=monitor):
        check_run(config(best={"monitor": monitor}))


def test_a_mode_that_does_not_exist_is_refused():
    with pytest.raises(ConfigError, match="min or max"):
        check_run(config(mode="maximize"))


@pytest.mark.parametrize("metric", METRICS.values(), ids=lambda metric: metric.name)
def test_the_worst_epoch_is_never_kept(metric):
    name = f"val/{metric.name}"
    right, wrong = ("max", "min") if metric.higher_is_better else ("min", "max")
    assert mode_of(name) == right
    check_run(config(name, right))
    with pytest.raises(ConfigError, match=rf"selection: mode={wrong} would keep the worst, as {name}"):
        check_run(config(name, wrong))
    with pytest.raises(ConfigError, match=r"callbacks\.stop\.mode out"):
        check_run(config(stop={"monitor": name, "mode": wrong}))


@pytest.mark.parametrize("name", ["loss", "score", "binary", "band", *Objective().names([])])
def test_losses_fall(name):
    with pytest.raises(ConfigError, match="better when it is lower"):
        check_run(config(f"val/{name}", "max"))


def keeping(dirpath="checkpoints", filename="best", monitor="val/auc", version=False, **more):
    return {
        "_target_": "pytorch_lightning.callbacks.ModelCheckpoint",
        "monitor": monitor,
        "dirpath": dirpath,
        "filename": filename,
        "enable_version_counter": version,
        **more,
    }


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"save_top_k": 0}, r"callbacks\.best\.save_top_k=0: keeps no checkpoint"),
        ({"save_top_k": 0, "filename": "best-{epoch}"}, r"save_top_k=0"),
        ({"save_top_k": 2}, r"save_top_k=2: all would be written to one file, best\.ckpt"),
        ({"save_top_k": -1}, r"save_top_k=-1: all would be written to one file"),
        ({"filename": "last"}, r"callbacks\.last\.filename=last: callbacks\.best writes to that file too"),
    ],
)
def test_the_file_of_the_best_epoch_holds_the_best_epoch(change, says):
    last = keeping(filename="last", monitor=None)
    with pytest.raises(ConfigError, match=says):
        check_run(config(best=keeping(**change), last=last))


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"save_top_k": 3, "filename": "best-{epoch}"},
        {"save_top_k": -1, "filename": None},
        {"save_top_k": 2, "version": True},
        {"filename": "last", "dirpath": "elsewhere"},
        {"every_n_epochs": 2},
    ],
)
def test_checkpoints_under_names_of_their_own_are_kept(change):
    check_run(config(best=keeping(**change), last=keeping(filename="last", monitor=None, save_top_k=0)))


def test_modes_left_open_are_those_of_what_is_monitored():
    stop = {
        "_target_": "pytorch_lightning.callbacks.EarlyStopping",
        "monitor": "val/auc",
    }  # its default is min
    found = with_modes(
        config(
            "val/mae",
            best={"monitor": "val/mae", "mode": None},
            last={"monitor": None},
            stop=stop,
            own={"_target_": "mine.Callback", "monitor": "val/auc"},
            off=None,
        )
    )
    assert found["selection"]["mode"] == "min"
    assert found["callbacks"]["best"]["mode"] == "min"
    assert found["callbacks"]["stop"]["mode"] == "max"
    assert "mode" not in found["callbacks"]["own"]
    assert "mode" not in found["callbacks"]["last"]
    assert found["callbacks"]["off"] is None
    assert with_modes(found) == found
    assert monitored(found) == ["val/mae", "val/auc"]


KEEP = {"_target_": "pytorch_lightning.callbacks.ModelCheckpoint"}


def test_checkpoints_kept_by_something_else_only_are_refused():
    other = KEEP | {"monitor": "val/mae"}
    with pytest.raises(
        ConfigError, match=r"callbacks\.best\.monitor=val/mae would choose .*monitor=val/auc is"
    ):
        check_run(config(best=other, last=KEEP | {"monitor": None}))
    check_run(config(best=KEEP | {"monitor": "val/auc"}, second=other))
    check_run(config(second=other, best=KEEP | {"monitor": "val/auc"}))
    check_run(config("val/mae", best=other))
    check_run(config(stop={"_target_": "pytorch_lightning.callbacks.EarlyStopping", "monitor": "val/loss"}))
    check_run(config(last=KEEP | {"monitor": None}))


def test_what_is_not_logged_cannot_be_waited_for():
    check_monitors(config(), LOGGED)
    with pytest.raises(ConfigError, match=r"val/acu does not exist, did you mean val/auc\? There are"):
        check_monitors(config("val/acu"), LOGGED)
    with pytest.raises(ConfigError, match=r"callbacks\.stop\.monitor=val/f1 .* threshold"):
        check_monitors(config(stop={"monitor": "val/f1"}), LOGGED)
    with pytest.raises(ConfigError, match="ordinal head"):
        check_monitors(config("val/quadratic_kappa"), LOGGED)
    plateau = {"_target_": "torch.optim.lr_scheduler.ReduceLROnPlateau"}
    with pytest.raises(ConfigError, match="ReduceLROnPlateau"):
        check_monitors(config() | {"model": {"scheduler": plateau}}, LOGGED)


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["selection.monitor=val/acu"], "did you mean val/auc"),
        (["selection.monitor=val/mae", "selection.mode=max"], "would keep the worst"),
        (["selection.mode=min"], "would keep the worst"),
        (["selection.monitor=val/mae", "model/heads=binary"], "it needs a score head"),
        (["selection.monitor=val/brier", "model/heads=score"], "it needs a binary head"),
        (["selection.monitor=val/contrast", "model/contrast=none"], "does not exist"),
        (["callbacks=early_stopping", "callbacks.early_stopping.mode=min"], "would keep the worst"),
        (["callbacks.best.monitor=val/mae"], "would choose the checkpoint"),
        (["callbacks=early_stopping", "callbacks.early_stopping.monitor=val/pearson_within"], "whose"),
    ],
)
def test_a_selection_that_cannot_work_stops_before_a_cohort_is_made(
    overrides, message, compose_run, series_overrides, tmp_path
):
    run = compose_run(*series_overrides, f"paths.data={tmp_path / 'data'}", *overrides)
    with pytest.raises(ConfigError, match=message):
        train(run, folder=tmp_path / "run")
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize(
    "overrides",
    [
        ["selection.monitor=val/mae"],
        ["selection.monitor=val/auc", "model/heads=score"],  # the score ranks where there is no binary head
        ["selection.monitor=val/loss", "callbacks=early_stopping"],
        ["selection.monitor=val/quadratic_kappa", "model/heads=bands"],
    ],
)
def test_a_selection_that_works_passes(overrides, compose_run, series_overrides):
    run = compose_run(*series_overrides, *overrides)
    check_run(run)
    check_model(run)


def test_a_sweep_searches_for_the_best_on_one_device():
    check_sweep(config())
    check_sweep(config("val/loss"))
    assert (direction_of("val/auc"), direction_of("val/mae")) == ("maximize", "minimize")
    with pytest.raises(ConfigError, match="would keep the worst"):
        check_sweep(config(mode="min"))
    with pytest.raises(LeakageError):
        check_sweep(config("test/auc"))
    with pytest.raises(ConfigError, match="every rank would start the sweep"):
        check_sweep(config(devices=2))


def test_a_run_reads_its_test_part_unless_it_is_a_trial():
    assert reads_test({})
    assert reads_test({"evaluation": {"n_boot": 3}})
    assert not reads_test({"evaluation": {"test": False}})


@pytest.mark.parametrize(
    "override",
    [
        "selection.monitor=test/auc",
        "callbacks.best.monitor=test/mae",
        "selection.monitor=train/loss",
    ],
)
def test_selection_on_anything_but_validation_stops_before_building(override, compose_run, tmp_path):
    config = compose_run(override, "data.cohort.root=" + str(tmp_path / "cohort"))
    with pytest.raises(ValueError, match="val/"):
        train(config, folder=tmp_path / "run")
    assert not (tmp_path / "cohort").exists()
    assert not (tmp_path / "run").exists()


def test_early_stopping_looks_at_validation_too(compose_run):
    config = compose_run("callbacks=early_stopping", "callbacks.early_stopping.monitor=test/auc")
    with pytest.raises(ValueError, match="test/auc"):
        check_run(config)
