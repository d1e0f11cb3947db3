"""A run that goes on is the uninterrupted one, with the number of workers that a user has: the default."""

import json
import os
import shutil
import signal
from contextlib import suppress

import pytest
import torch

from engine.checkpoints.checkpoint import CheckpointError
from engine.config.compose import ConfigError
from engine.config.differences import moved
from engine.runs.lock import FolderInUse, FolderLock
from engine.runs.provenance import RunFolderError, RunManifest, read_manifest_json
from engine.runs.signals import Interrupted, check_interrupted
from engine.train import train
from engine.training import measure as measuring
from engine.training.resuming.earlier_run import DAMAGED, check_same, earlier_run, whole_state
from engine.training.resuming.resume_callback import Resumption
from studies.interruptions.compare import different, same

DEFAULT_WORKERS = "data.module.num_workers=1"
LONGER = ("data.module.eval_clips.clips=3", "trainer.max_epochs=3", "model.scheduler.T_max=2")
THREE = ["trainer.max_epochs=3", "model.network.rarm.dropout=0.5", DEFAULT_WORKERS]

RECIPE = [
    *THREE,
    "callbacks=early_stopping",
    "callbacks/ema=average",
    "callbacks.ema.compare=true",
    "model/scheduler=warmup_cosine",
    "model.scheduler.warmup=0.5",
    "+data.module.augment={_target_:datamodules.clips.augmentation.series.SeriesAugment,shift:0.5}",
]


class Stop(Exception):
    """Stands for what ends a run."""


@pytest.fixture
def stopped(small_run, monkeypatch):
    """Train into a folder, and end once an epoch has been saved: `stopped(folder, epoch, ...)`."""

    def run(folder, epoch, *overrides):
        def batch(self, trainer, *rest):
            if trainer.current_epoch == epoch + 1:
                raise Stop

        monkeypatch.setattr(Resumption, "on_train_batch_start", batch)
        with pytest.raises(Stop):
            small_run(folder, *overrides)
        monkeypatch.undo()

    return run


@pytest.fixture(scope="module")
def whole(small_run, tmp_path_factory):
    """The run that nobody interrupted."""
    return small_run(tmp_path_factory.mktemp("whole") / "run", *THREE).folder


def test_a_resumed_run_is_the_uninterrupted_one(whole, stopped, small_run, tmp_path):
    run = tmp_path / "run"
    stopped(run, 0, *THREE)
    moved_run = run.rename(tmp_path / "moved")  # nothing lies any more where its files say
    small_run(moved_run, *THREE, f"resume={moved_run}")
    assert different(whole, moved_run) == []


@pytest.mark.slow
def test_a_run_resumed_where_it_stood_is_the_uninterrupted_one(whole, stopped, small_run, tmp_path):
    run = tmp_path / "run"
    stopped(run, 0, *THREE)
    small_run(run, *THREE, f"resume={run}")
    assert different(whole, run) == []


@pytest.mark.slow
def test_averaged_weights_warm_up_and_augmentation_go_on_too(stopped, small_run, tmp_path):
    uninterrupted = small_run(tmp_path / "whole", *RECIPE).folder
    stopped(tmp_path / "run", 0, *RECIPE)
    small_run(tmp_path / "run", *RECIPE)
    assert different(uninterrupted, tmp_path / "run") == []
    content = torch.load(tmp_path / "run" / "checkpoints" / "last.ckpt", weights_only=True)
    assert not same(content["state_dict"], content["current_model_state"])


@pytest.mark.slow
def test_a_new_run_without_an_average_goes_on_from_the_trained_weights(small_fit, tmp_path):
    given = ["trainer.max_epochs=3", "data.module.subjects=2", "callbacks/ema=average", DEFAULT_WORKERS]
    small_fit(tmp_path / "whole", *given)
    small_fit(tmp_path / "part", *given, "trainer.max_epochs=2", "model.scheduler.T_max=3")
    state = tmp_path / "part" / "checkpoints" / "last.ckpt"
    small_fit(tmp_path / "on", *given[:2], "callbacks/ema=none", DEFAULT_WORKERS, f"ckpt_path={state}")
    whole, on = (
        torch.load(tmp_path / name / "checkpoints" / "last.ckpt", weights_only=True)
        for name in ("whole", "on")
    )
    assert "current_model_state" not in on
    assert same(whole["current_model_state"], on["state_dict"])  # the average took no part in training


@pytest.mark.slow
def test_a_run_resumed_in_another_folder_is_the_uninterrupted_one(whole, stopped, small_run, tmp_path):
    stopped(tmp_path / "run", 0, *THREE)
    small_run(tmp_path / "elsewhere", *THREE, f"resume={tmp_path / 'run'}")
    assert different(whole, tmp_path / "elsewhere") == []


@pytest.mark.slow
def test_a_run_that_stopped_early_does_not_train_on(stopped, small_run, tmp_path, monkeypatch):
    early = [
        *THREE,
        "callbacks=early_stopping",
        "callbacks.early_stopping.patience=1",
        "trainer.max_epochs=9",
    ]
    uninterrupted = small_run(tmp_path / "whole", *early).folder

    def killed(*arguments, **named):
        raise Stop

    monkeypatch.setattr(measuring, "measure", killed)
    with pytest.raises(Stop):
        small_run(tmp_path / "run", *early)
    monkeypatch.undo()
    small_run(tmp_path / "run", *early)  # the same command in the same folder goes on, too
    assert different(uninterrupted, tmp_path / "run") == []


@pytest.mark.slow
def test_the_found_rate_is_kept(stopped, small_run, tmp_path):
    found = [*THREE, "find_lr=true"]
    uninterrupted = small_run(tmp_path / "whole", *found).folder
    stopped(tmp_path / "run", 0, *found)
    (tmp_path / "run" / "manifest.json").unlink()  # the checkpoint alone remembers it
    small_run(tmp_path / "on", *found, f"resume={tmp_path / 'run'}")
    assert read_manifest_json(tmp_path / "on")["found_lr"]["rate"] != 0.001
    assert different(uninterrupted, tmp_path / "on") == []


@pytest.mark.slow
def test_folds_go_on_in_another_folder(small_run, stopped, tmp_path):
    folds = ["protocol=kfold", "protocol.folds=2", "protocol.val=0.3", "trainer.max_epochs=1"]
    uninterrupted = small_run(tmp_path / "whole", *folds).folder
    run = small_run(tmp_path / "run", *folds).folder
    for name in ("predictions.csv", "metrics.json", "report.html", "fold_1/predictions.csv"):
        (run / name).unlink()
    for folder in (run, run / "fold_1"):
        record = json.loads((folder / "manifest.json").read_text())
        (folder / "manifest.json").write_text(json.dumps(record | {"status": "running"}))
    small_run(tmp_path / "on", *folds, f"resume={run}")
    for name in ("predictions.csv", "metrics.json", "fold_0/history.csv", "fold_1/history.csv"):
        assert (uninterrupted / name).read_bytes() == (tmp_path / "on" / name).read_bytes(), name


@pytest.mark.slow
def test_a_cut_checkpoint_falls_back_to_the_one_before(whole, stopped, small_run, tmp_path, caplog):
    stopped(tmp_path / "run", 1, *THREE)
    last = tmp_path / "run/checkpoints/last.ckpt"
    last.write_bytes(last.read_bytes()[:65536])
    small_run(tmp_path / "run", *THREE, f"resume={tmp_path / 'run'}")
    assert "previous.ckpt" in caplog.text
    assert last.with_name(DAMAGED).is_file()
    assert different(whole, tmp_path / "run") == []


def test_what_may_not_go_on_is_refused_before_anything_is_written(series_run, compose_run, tmp_path):
    run = shutil.copytree(series_run.folder, tmp_path / "copy")
    before = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    base = series_run.config | {"resume": str(run)}
    seed = base | {"seed": 5}
    with pytest.raises(RunFolderError, match=r"seed: 0 there, 5 here"):
        train(seed, folder=tmp_path / "new")
    with pytest.raises(RunFolderError, match=r"another config.*seed: 0 there, 5 here"):
        train(seed | {"resume": None}, folder=run)
    longer = base | {"trainer": base["trainer"] | {"max_epochs": 3}}
    schedule = base["model"] | {"scheduler": base["model"]["scheduler"] | {"T_max": 3}}
    with pytest.raises(RunFolderError, match=r"cannot be made longer afterwards.*Train anew with the larger"):
        train(longer | {"model": schedule}, folder=run)
    shorter = base | {"trainer": base["trainer"] | {"max_epochs": 1}}
    with pytest.raises(RunFolderError, match=r"trainer\.max_epochs: 2 there, 1 here"):
        train(shorter, folder=run)
    part = base | {"trainer": base["trainer"] | {"limit_train_batches": 1}}
    with pytest.raises(RunFolderError, match=r"trainer\.limit_train_batches: None there, 1 here"):
        train(part, folder=run)
    with pytest.raises(ConfigError, match="leave one of them out"):
        train(base | {"ckpt_path": "last.ckpt"}, folder=run)
    with pytest.raises(RunFolderError, match="no run lies there"):
        train(base | {"resume": str(tmp_path)}, folder=run)
    (run / "manifest.json").write_text('{"status": "runn')
    with pytest.raises(RunFolderError, match=r"copy/manifest\.json: is no record"):
        train(base, folder=run)
    (run / "manifest.json").write_bytes(before[run / "manifest.json"])
    assert before == {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    assert not (tmp_path / "new").exists()


def test_where_the_record_is_gone_the_checkpoint_says_how_a_run_was_trained(series_run, tmp_path):
    run = shutil.copytree(series_run.folder, tmp_path / "moved" / "run")
    (run / "manifest.json").unlink()
    config = moved(series_run.config, run)
    check_same({}, config, run)
    with pytest.raises(RunFolderError, match=r"another config: seed: 0 there, 5 here"):
        check_same({}, config | {"seed": 5}, run)
    model = config["model"] | {"optimizer": config["model"]["optimizer"] | {"lr": 0.5}}
    with pytest.raises(RunFolderError, match=r"model\.optimizer\.lr: .* there, 0\.5 here"):
        train(
            moved(config | {"model": model}, tmp_path / "new") | {"resume": str(run)}, folder=tmp_path / "new"
        )


def test_a_finished_run_has_nothing_to_do(series_run, caplog):
    before = (series_run.folder / "manifest.json").read_bytes()
    assert train(series_run.config, folder=series_run.folder) == series_run.objective
    assert "is finished" in caplog.text
    assert (series_run.folder / "manifest.json").read_bytes() == before


def test_one_process_a_folder(tmp_path):
    lock = FolderLock(tmp_path)
    lock.acquire()
    config = {"seed": 0, "paths": {"output": "x"}}
    with (
        pytest.raises(FolderInUse, match="is being written by process"),
        RunManifest(folder=tmp_path, config=config),
    ):
        pass
    lock.release()
    with RunManifest(folder=tmp_path, config=config):
        pass


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP", "SIGUSR1"])
def test_a_signal_is_written_down_as_the_end(name, tmp_path):
    number = getattr(signal, name)
    was = signal.getsignal(number)

    def run():
        with RunManifest(folder=tmp_path, config={"paths": {"output": "x"}}):
            check_interrupted(17)
            os.kill(os.getpid(), number)
            check_interrupted(18)

    with pytest.raises(Interrupted) as ended:
        run()
    content = read_manifest_json(tmp_path)
    assert content["status"] == f"interrupted at step 17 by {name}"
    assert content["exit_status"] == ended.value.code == 128 + number
    assert content["go_on"]
    assert signal.getsignal(number) == was


def test_a_signal_during_a_fold_ends_the_whole_run_as_well(tmp_path, caplog):
    config = {"paths": {"output": "x"}}
    fold = tmp_path / "fold_0"
    with (
        pytest.raises(Interrupted),
        RunManifest(folder=tmp_path, config=config),
        RunManifest(folder=fold, config=config, whole=tmp_path),
    ):
        os.kill(os.getpid(), signal.SIGTERM)
    told = [message for message in caplog.messages if "To go on" in message]
    assert len(told) == 1  # folds go on with their run, never by themselves
    assert read_manifest_json(fold)["go_on"] == read_manifest_json(tmp_path)["go_on"]
    for content in (read_manifest_json(tmp_path), read_manifest_json(fold)):
        assert content["status"] == "interrupted before the first step by SIGTERM"
        assert content["exit_status"] == 128 + signal.SIGTERM


def lost(record):
    """A signal whose exception Python drops, as where it cleans up objects."""
    with suppress(Interrupted):
        os.kill(os.getpid(), signal.SIGHUP)
    record.record(something="later")


def stumbled_over(record):
    """A signal whose exception a library turns into one of its own."""
    del record
    try:
        os.kill(os.getpid(), signal.SIGHUP)
    finally:
        raise RuntimeError("while cleaning up")


@pytest.mark.parametrize("how", [lost, stumbled_over])
def test_a_signal_that_is_lost_on_the_way_still_ends_the_run(how, tmp_path):
    with (
        pytest.raises(Interrupted) as ended,
        RunManifest(folder=tmp_path, config={"paths": {"output": "x"}}) as record,
    ):
        how(record)
    assert ended.value.code == 128 + signal.SIGHUP
    content = read_manifest_json(tmp_path)
    assert content["status"] == "interrupted before the first step by SIGHUP"
    assert "something" not in content


def test_more_processes_than_cores_are_refused(compose_run, tmp_path):
    with pytest.raises(ConfigError, match=r"trainer\.devices=99"):
        train(compose_run("trainer.devices=99"), folder=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_what_another_command_wrote_does_not_go_on(tmp_path):
    (tmp_path / "evaluated").mkdir()
    (tmp_path / "evaluated/manifest.json").write_text('{"argv": ["eval.py"]}')
    config = {"resume": str(tmp_path / "evaluated"), "ckpt_path": None, "experiment_name": "x"}
    with pytest.raises(RunFolderError, match=r"holds what eval\.py wrote"):
        earlier_run(config, tmp_path / "new")


def test_a_run_that_failed_before_its_first_checkpoint_is_none_to_go_on_with(compose_run, tmp_path):
    config = compose_run()
    kept = {"argv": ["train.py"], "status": "failed: ValueError: a setting", "config": config | {"seed": 99}}
    (tmp_path / "manifest.json").write_text(json.dumps(kept))
    assert earlier_run(config, tmp_path) is None
    (tmp_path / "last.ckpt").touch()
    with pytest.raises(RunFolderError, match="seed"):
        earlier_run(config, tmp_path)


def test_without_a_whole_checkpoint_the_run_stops(tmp_path):
    (tmp_path / "checkpoints").mkdir()
    assert whole_state(tmp_path) is None
    (tmp_path / "checkpoints" / "last.ckpt").write_bytes(b"x" * 100)
    with pytest.raises(CheckpointError, match=r"last\.ckpt"):
        whole_state(tmp_path)


def test_the_comparison_sees_the_last_bit():
    one = torch.tensor([1.0])
    assert same({"a": [one, float("nan")]}, {"a": [one.clone(), float("nan")]})
    assert not same({"a": one}, {"a": torch.nextafter(one, torch.tensor(2.0))})
    assert not same({"a": one}, {"a": one.double()})


BEST = "ModelCheckpoint{'monitor': 'val/auc'"
ODD_STATES = {
    "best elsewhere": (BEST, lambda state, out: state["best_k_models"].update({f"{out}/../keep.ckpt": 0.0})),
    "last elsewhere": (BEST, lambda state, out: state.update(last_model_path=f"{out}/../../keep.ckpt")),
    "kth elsewhere": (BEST, lambda state, out: state.update(kth_best_model_path=f"{out}/../keep.ckpt")),
    "another kind of file": (BEST, lambda state, out: state.update(best_model_path=f"{out}/../history.csv")),
    "no folder": (BEST, lambda state, out: state.update(dirpath=3)),
    "no models": (BEST, lambda state, out: state.update(best_k_models=[1])),
    "no score": (BEST, lambda state, out: state.pop("best_model_score")),
    "no path": (BEST, lambda state, out: state.pop("best_model_path")),
    "history": ("History", lambda state, out: state.update(rows=None)),
    "monitor": ("FiniteMonitor", lambda state, out: state.update(missing=None)),
}


@pytest.mark.parametrize("case", ODD_STATES)
def test_callback_states_that_no_run_writes_are_refused_and_touch_no_file(
    case, series_run, small_fit, tmp_path
):
    key, change = ODD_STATES[case]
    run = shutil.copytree(series_run.folder, tmp_path / "a" / "run")
    last = run / "checkpoints" / "last.ckpt"
    content = torch.load(last, weights_only=True)
    states = content["callbacks"]
    state = next(state for name, state in states.items() if name.startswith(key))
    change(state, state.get("dirpath", ""))
    torch.save(content, last)
    goal = tmp_path / "b" / "run"
    for keep in (run / "keep.ckpt", run / "checkpoints" / "keep.ckpt", goal / "keep.ckpt"):
        keep.parent.mkdir(parents=True, exist_ok=True)
        keep.write_text("mine")
    with pytest.raises(CheckpointError, match=r"last\.ckpt: .*(Nothing was copied|cannot be taken over)"):
        small_fit(goal, *LONGER, f"ckpt_path={last}")
    assert (goal / "keep.ckpt").read_text() == "mine"
    assert (run / "keep.ckpt").read_text() == "mine"


FORGOTTEN = {
    "best": lambda states: [states.pop(key) for key in list(states) if key.startswith(BEST)],
    "history": lambda states: states.pop("History"),
    "all": lambda states: states.clear(),
}


@pytest.mark.parametrize("case", FORGOTTEN)
def test_a_state_that_forgets_the_best_epoch_is_named(case, series_run, small_fit, tmp_path, caplog):
    run = shutil.copytree(series_run.folder, tmp_path / "run")
    last = run / "checkpoints" / "last.ckpt"
    content = torch.load(last, weights_only=True)
    FORGOTTEN[case](content["callbacks"])
    if case == "all":
        del content["callbacks"]
    torch.save(content, last)
    with pytest.raises(CheckpointError, match=r"last\.ckpt: does not hold the state of .*forgotten"):
        small_fit(run, *LONGER, f"resume={run}")
    if case == "history":  # a new run may have other callbacks
        small_fit(tmp_path / "new", *LONGER, f"ckpt_path={last}")
        assert "does not hold the state of History" in caplog.text
