"""A network of somebody's own package on the command line: trained, evaluated, and used to predict."""

import json
import os

import pytest

from tests.commands import command

PACKAGE = '''
"""A trunk of another place."""

from models.trunks.series import SeriesTrunk


class OwnTrunk(SeriesTrunk):
    """The same under a name of its own."""
'''


@pytest.mark.command
def test_a_package_is_trusted_by_the_command_and_by_nothing_else(
    series_overrides, series_run, cohorts, tmp_path
):
    package = tmp_path / "site" / "my_faces"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text(PACKAGE)
    path = os.pathsep.join([str(tmp_path / "site"), os.environ.get("PYTHONPATH", "")])

    def run(script, *arguments):
        return command(script, *arguments, f"paths.data={cohorts}", env={"PYTHONPATH": path})

    own = "model.network.depression.trunk._target_=my_faces.OwnTrunk"
    train = [*series_overrides, own, "trainer.max_epochs=1", f"hydra.run.dir={tmp_path}/run"]
    done = run("train.py", *train, "trust=[my_faces]")
    assert done.returncode == 0, done.stderr[-2000:]
    assert json.loads((tmp_path / "run/manifest.json").read_text())["trust"] == ["my_faces"]

    best, table = f"ckpt_path={tmp_path}/run/checkpoints/best.ckpt", series_table(cohorts)
    for script, more in (("eval.py", []), ("predict.py", [f"input={table}"])):
        places = [best, *more, f"hydra.run.dir={tmp_path}/{script[:-3]}"]
        if script == "predict.py":  # what the run trusted its checkpoint does not bring along
            refused = run(script, *places)
            assert refused.returncode
            assert "add trust=[my_faces] to the command" in refused.stderr
        done = run(script, *places, "trust=[my_faces]")
        assert done.returncode == 0, done.stderr[-2000:]
        assert (tmp_path / script[:-3] / "predictions.csv").is_file()
    assert f"python eval.py {best} trust=[my_faces] manifest=" in done.stdout + done.stderr  # to measure it


def series_table(cohorts):
    """The table of the small cohort."""
    return next(cohorts.glob("synthetic/*/manifest.csv"))
