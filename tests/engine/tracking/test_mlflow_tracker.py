import sys

import pytest

from engine.config.build import build
from engine.config.compose import ConfigError
from engine.tracking.tracker import Results, RunFacts

pytest.importorskip("mlflow")
CONFIG = {"seed": 1, "model": {"dim": 4, "widths": list(range(200))}}
FACTS = RunFacts(name="mpdrm fold_0", kind="fold", group="mpdrm-1", config=CONFIG)


@pytest.fixture
def tracker(compose_run, tmp_path):
    """Build the logger of `logger=mlflow` with a store below `tmp_path`."""

    def make(*overrides):
        config = compose_run("logger=mlflow", f"logger.mlflow.save_dir={tmp_path}/store", *overrides)
        return build(config["logger"]["mlflow"], key="logger.mlflow")

    return make


def found(tracker, run):
    return tracker._mlflow_client.get_run(run)


def test_a_run_that_goes_on_is_the_same_run_and_may_be_longer(tracker):
    first = tracker()
    begun = first.begin(FACTS, earlier=None)
    first.end("interrupted", {"best/epoch": 0})
    assert found(first, begun.id).info.status == "KILLED"
    second = tracker()
    longer = RunFacts(name=FACTS.name, kind="fold", group="mpdrm-1", config=CONFIG | {"seed": 2, "new": 1})
    again = second.begin(longer, earlier=begun.id)
    assert again.id == begun.id
    run = found(second, begun.id)
    assert (run.info.status, run.info.run_name) == ("RUNNING", "mpdrm fold_0")
    assert (run.data.tags["kind"], run.data.tags["group"]) == ("fold", "mpdrm-1")
    # MLflow refuses other values for what it was told; the file has them
    assert (run.data.params["seed"], run.data.params["new"]) == ("1", "1")
    second.end("finished", {"best/epoch": 2, "note": "x"})
    run = found(second, begun.id)
    assert (run.info.status, run.data.metrics) == ("FINISHED", {"best/epoch": 2.0})


def test_no_name_of_a_user_or_a_repository_is_taken(tracker, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["/home/anna/train.py", "data.path=/home/anna/x.csv"])
    one = tracker()
    run = found(one, one.begin(FACTS, earlier=None).id)
    assert set(run.data.tags) == {"kind", "group", "mlflow.source.name", "mlflow.runName"}
    assert run.info.user_id == "unknown"


@pytest.mark.parametrize("asked", [True, False])
def test_checkpoint_and_predictions_are_stored_where_asked_for_alone(tracker, tmp_path, asked):
    paths = [tmp_path / name for name in ("report.html", "best.ckpt", "predictions.csv")]
    for path in paths:
        path.write_text("x")
    one = tracker(f"logger.mlflow.checkpoint={asked}", f"logger.mlflow.persons={asked}")
    run = one.begin(FACTS, earlier=None).id
    one.conclude(Results(page=paths[0], figures=(), checkpoint=paths[1], persons=(paths[2],)))
    stored = {item.path for item in one._mlflow_client.list_artifacts(run)}
    assert stored == {"config.json", "shared"} | ({"checkpoint", "persons"} if asked else set())


def test_a_password_of_the_server_is_not_printed(tracker):
    one = tracker()
    one._tracking_uri = "https://anna:secret@host:5000"
    assert one._public_uri() == "https://host:5000"


def test_where_mlflow_is_missing_the_extra_is_named(tracker, monkeypatch):
    from pytorch_lightning.loggers import mlflow

    monkeypatch.setattr(mlflow, "_MLFLOW_AVAILABLE", False)
    with pytest.raises(ConfigError, match=r"pip install -e '\.\[mlflow\]'"):
        tracker()
