import pytest

from engine.config.build import build
from engine.tracking.tracker import Results, RunFacts
from tests.engine.tracking.stored import wandb_run

FACTS = RunFacts(name="mpdrm fold_0", kind="fold", group="mpdrm-1", config={"seed": 1})


@pytest.fixture
def tracker(compose_run, monkeypatch):
    """Build the logger of `logger=wandb` that writes to a folder."""
    monkeypatch.setenv("WANDB_SILENT", "true")

    def make(folder, *overrides):
        folder.mkdir(exist_ok=True)
        config = compose_run("logger=wandb", *overrides, output=folder)
        return build(config["logger"]["wandb"], key="logger.wandb")

    return make


def test_runs_of_one_process_are_runs_of_their_own_and_end_as_they_did(tracker, tmp_path):
    first = tracker(tmp_path / "a")
    begun = first.begin(FACTS, earlier=None)
    first.log_metrics({"val/auc": 0.5}, step=3)
    first.end("failed", {"best/epoch": 0})
    second = tracker(tmp_path / "b")
    again = second.begin(FACTS, earlier=begun.id)
    second.end("finished", {})
    a, b = (wandb_run(tmp_path / name / "wandb") for name in ("a", "b"))
    assert (a["run"].run_group, a["run"].job_type, a["run"].display_name) == (
        "mpdrm-1",
        "fold",
        "mpdrm fold_0",
    )
    assert (a["exit_code"], a["summary"]["status"], a["summary"]["best/epoch"]) == (1, "failed", 0)
    assert "val/auc" not in b["summary"]
    assert b["exit_code"] == 0
    # a run that goes on is the same run: `wandb sync` puts the parts behind each other
    assert begun.id == again.id == a["run"].run_id == b["run"].run_id


@pytest.mark.parametrize("asked", [True, False])
def test_checkpoint_and_predictions_are_stored_where_asked_for_alone(tracker, tmp_path, monkeypatch, asked):
    monkeypatch.setenv("WANDB_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("WANDB_CACHE_DIR", str(tmp_path / "cache"))
    names = ("report.html", "best.ckpt", "predictions.csv")
    page, checkpoint, persons = (tmp_path / name for name in names)
    for path in (page, checkpoint, persons):
        path.write_text(f"content of {path.name}")
    overrides = [f"logger.wandb.checkpoint={asked}", f"logger.wandb.persons={asked}"]
    one = tracker(tmp_path / "run", *overrides)
    one.begin(FACTS, earlier=None)
    one.conclude(Results(page=page, figures=(), checkpoint=checkpoint, persons=(persons,)))
    one.end("finished", {})
    assert wandb_run(tmp_path / "run" / "wandb")["exit_code"] == 0
    (log,) = (tmp_path / "run" / "wandb").glob("offline-run-*/run-*.wandb")
    stored = log.read_bytes()
    assert [name.encode() in stored for name in names[1:]] == [asked, asked]
    assert any((tmp_path / "run" / "wandb").glob("offline-run-*/files/media/html/*.html"))
