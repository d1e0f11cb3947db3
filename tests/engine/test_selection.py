import pytest

from datamodules.guard import LeakageError
from engine.compose import ConfigError
from engine.selection import check_run, check_sweep


def config(monitor="val/auc", mode="max", devices=1, **callbacks):
    return {
        "selection": {"monitor": monitor, "mode": mode},
        "callbacks": callbacks or None,
        "trainer": {"devices": devices},
    }


def test_validation_may_select():
    check_run(config(best={"monitor": "val/mae"}, last={"monitor": None}, off=None))


@pytest.mark.parametrize("monitor", ["test/auc", "train/loss", "auc", "val_auc"])
def test_nothing_else_may(monitor):
    with pytest.raises(LeakageError, match=monitor):
        check_run(config(monitor))
    with pytest.raises(LeakageError, match=monitor):
        check_run(config(best={"monitor": monitor}))


def test_a_mode_that_does_not_exist_is_refused():
    with pytest.raises(ConfigError, match="min or max"):
        check_run(config(mode="maximize"))


def test_a_sweep_searches_for_the_best_on_one_device():
    check_sweep(config(), direction="maximize")
    check_sweep(config(mode="min"), direction="minimize")
    check_sweep(config(), direction=None)
    with pytest.raises(ConfigError, match=r"hydra\.sweeper\.direction=minimize"):
        check_sweep(config(mode="min"), direction="maximize")
    with pytest.raises(ConfigError, match="one device"):
        check_sweep(config(devices=2), direction=None)
