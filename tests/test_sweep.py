"""`sweep.py` as a user calls it."""

import pandas as pd
import pytest

from tests.commands import command

GRID = ["sampler=grid", "width=8,16", "trainer.max_epochs=1", "study=grid"]


@pytest.mark.command
def test_a_sweep_tests_its_chosen_trial_once_and_goes_on_where_it_was(series_overrides, cohorts, tmp_path):
    kept = [one for one in series_overrides if not one.startswith(("width=", "trainer.max_epochs="))]
    words = [*GRID, *kept, f"paths.data={cohorts}", f"hydra.run.dir={tmp_path}/grid"]
    done = command("sweep.py", *words, "n_trials=1", "test=false")
    assert done.returncode == 0, done.stderr[-3000:]
    table = pd.read_csv(tmp_path / "grid/trials.csv")
    assert table[["trial", "state", "width", "test_looks"]].values.tolist() == [[0, "finished", 8, 0]]
    first = (tmp_path / "grid/0/manifest.json").read_bytes()
    done = command("sweep.py", *words)
    assert done.returncode == 0, done.stderr[-3000:]
    table = pd.read_csv(tmp_path / "grid/trials.csv")
    assert table["width"].tolist() == [8, 16]
    assert sorted(table["test_looks"]) == [0, 1]
    chosen = int(table.loc[table["test_looks"] == 1, "trial"].item())
    assert table["val/auc"][chosen] == table["val/auc"].max()
    for number in (0, 1):
        assert (tmp_path / f"grid/{number}/metrics.json").exists() == (number == chosen)
    if chosen == 1:
        assert (tmp_path / "grid/0/manifest.json").read_bytes() == first
    page = (tmp_path / "grid/study.html").read_text()
    assert str(tmp_path) not in page
    assert f"trial {chosen}: 1" in page


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["n_trails=3", "width=8,16"], "Unknown key 'n_trails'; did you mean 'n_trials'?"),
        (["width=16"], "nothing is searched"),
        (["width=8,16", "selection.monitor=test/auc"], "selection on 'test/auc'"),
        (["width=8,16", "trainer=ddp"], "every rank would start the sweep"),
        (["width=8,16", "objectives=[val/auc,test/auc]"], "selection on 'test/auc'"),
        (["width=8,16", "objectives=[val/loss]"], "give selection.monitor=val/loss instead"),
        (["width=8,16", "workers=0"], "workers=0: give a whole number, 1 or more"),
        (["width=8,16", "modle=mpdrm"], "did you mean model"),
    ],
)
@pytest.mark.command
def test_a_sweep_that_cannot_mean_well_ends_with_one_message(words, says, tmp_path):
    done = command("sweep.py", *words, f"hydra.run.dir={tmp_path}/sweep")
    assert done.returncode == 1
    assert says in done.stderr
    assert "Traceback" not in done.stderr
