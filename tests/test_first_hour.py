"""What a user of the first hour gets wrong, and what the command answers: a line for each mistake."""

import logging

import pytest
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from engine.config.compose import plain_config, root_keys
from engine.config.short_keys import ShortKeyError
from engine.config.source_code import ROOT
from engine.config.unknown_keys import wrong_words
from engine.config.user_errors import is_users, message

# command line ------------------------------------------------------------


def composed(command, *overrides, folder=None):
    """A plain config of a command, as its script makes it."""
    more = [] if folder is None else [f"hydra.searchpath=[file://{folder}]"]
    with initialize_config_dir(str(ROOT / "conf"), version_base="1.3"):
        config = compose(command, [*more, *overrides])
    if OmegaConf.is_missing(config.paths, "output") or "hydra:" in str(OmegaConf.to_container(config.paths)):
        config.paths.output = "run"
    return plain_config(config, keys=root_keys(command))


def answer(command, *overrides, folder=None):
    """What a user reads on a command line that cannot be run, before anything is imported."""
    if wrong := wrong_words(overrides, command=command):
        return "\n".join(wrong)
    with pytest.raises(Exception) as stop:  # noqa: PT011
        composed(command, *overrides, folder=folder)
    assert is_users(stop.value)
    return message(stop.value, command=command)


@pytest.mark.parametrize(
    ("command", "override", "told"),
    [
        ("train", "batch_size=4", "write batch= (recordings a step"),
        ("train", "data.batch_size=4", "write batch="),
        ("train", "+data.batch_size=4", "write batch="),
        ("train", "++learning_rate=0.1", "write lr=0.1"),
        ("train", "model.lr=0.001", "write lr=0.001"),
        ("train", "+model.lr=0.001", "write lr=0.001"),
        ("train", "optimizer.lr=0.1", "write lr=0.1"),
        ("train", "trainer.epochs=3", "write epochs=3"),
        ("train", "+trainer.epochs=3", "write epochs=3"),
        ("train", "max_epochs=3", "write epochs=3"),
        ("train", "--epoch=3", "write epochs=3"),
        ("train", "num_epochs=3", "write epochs=3"),
        ("train", "num_workers=3", "write workers=3"),
        ("train", "freeze=true", "write model/tuning=frozen"),
        ("train", "model.network.depression.trunk.freeze=true", "write model/tuning=frozen"),
        ("train", "+model.network.depression.trunk.freeze=true", "write model/tuning=frozen"),
        ("train", "gpus=2", "trainer=ddp trainer.devices=2"),
        ("train", "devices=2", "trainer=gpu"),
        ("train", "pretrained=true", "init_from=<best.ckpt>"),
        ("train", "weights=a.pth", "model.network.depression.trunk.weights="),
        ("train", "model.network.depression.trunk.pretrained=true", "trunk.weights=pretrained"),
        ("train", "seed_everything=1", "write seed=1"),
        ("train", "checkpoint=a.ckpt", "init_from=<best.ckpt>"),
        ("train", "ckpt=a.ckpt", "resume=last"),
        ("train", "resume_from=a", "resume=<run folder>"),
        ("train", "data_dir=a", "data=manifest data.path=<table>"),
        ("eval", "checkpoint=a.ckpt", "write ckpt_path=a.ckpt"),
        ("predict", "data_dir=a", "write input=a"),
        ("train", "lr.x=1", "Unknown key 'lr.x'"),
        ("train", "trainer.epoc=3", "did you mean trainer.max_epochs= (in short epochs=)?"),
        ("train", "+trainer.epochz=3", "did you mean 'max_epochs'?"),
        ("train", "trainer.max_time=1", "write +trainer.max_time=..."),
        ("train", "subjects=3", "did you mean data.module.subjects="),
        ("train", "modle=baseline", "did you mean model="),
        ("train", "model/optimiser=sgd", "did you mean model/optimizer="),
        ("train", "experiment=mpdrm_serie", "did you mean 'mpdrm_series'?"),
        ("train", "model=resnet50", "Available options in 'model':"),
        ("train", "lr 0.1", "settings are key=value"),
        ("train", "data=manifest", "data.path has no value. Give it on the command line: data.path=..."),
        ("eval", "audit=true", "ckpt_path has no value"),
        ("train", "+model.network.depression.trunk.widht=3", "nothing reads it"),
        ("train", "model.network.depression.trunk.widht=3", "did you mean"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_wrong_key_is_answered_with_the_right_one(command, override, told):
    text = answer(command, override)
    assert told in text
    assert "To append to your config" not in text
    assert "not in struct" not in text


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ("batch_size: 4", "write batch="),
        ("data:\n  batch_size: 4", "write batch="),
        ("trainer:\n  epochs: 4", "write epochs="),
        ("model:\n  optimizer:\n    lrr: 1", "did you mean 'lr'?"),
    ],
    ids=["root", "data", "trainer", "optimizer"],
)
def test_so_is_one_in_an_experiment_file(lines, told, tmp_path):
    (tmp_path / "experiment").mkdir()
    (tmp_path / "experiment" / "mine.yaml").write_text(
        f"# @package _global_\nexperiment_name: mine\n{lines}\n"
    )
    assert told in answer("train", "experiment=mine", folder=tmp_path)


def test_short_keys_are_put_into_their_places_and_dropped():
    long = composed(
        "train",
        "model.optimizer.lr=0.5",
        "trainer.max_epochs=7",
        "data.module.num_workers=3",
        "data.module.subjects=4",
    )
    short = composed("train", "lr=0.5", "epochs=7", "workers=3", "batch=24")  # 6 visits of 1 clip
    assert short == long
    assert short["model"]["scheduler"]["T_max"] == 7  # what interpolates the long key follows
    assert not {"lr", "epochs", "workers", "batch"} & set(short)


def test_they_work_in_an_experiment_file_and_the_command_line_wins(tmp_path):
    (tmp_path / "experiment").mkdir()
    (tmp_path / "experiment" / "mine.yaml").write_text(
        "# @package _global_\nexperiment_name: mine\nlr: 0.25\n"
    )
    kept = composed("train", "experiment=mine", folder=tmp_path)
    assert kept["model"]["optimizer"]["lr"] == 0.25
    given = composed("train", "experiment=mine", "lr=0.5", folder=tmp_path)
    assert given["model"]["optimizer"]["lr"] == 0.5


@pytest.mark.parametrize("command", ["eval", "predict"])
@pytest.mark.parametrize("name", ["workers", "num_workers"])
def test_workers_of_eval_and_predict(command, name):
    needed = ["ckpt_path=a", "input=b"] if command == "predict" else ["ckpt_path=a"]
    plain = composed(command, *needed, f"{name}=3")
    assert plain["num_workers"] == 3
    assert "workers" not in plain


@pytest.mark.parametrize(
    ("override", "told"),
    [
        ("batch=25", "batch=24 or batch=30"),
        ("batch=2", "multiple of 6: batch=6"),
        ("batch=no", "whole number"),
    ],
)
def test_a_batch_that_does_not_divide_is_refused(override, told):
    with pytest.raises(ShortKeyError, match=told):
        composed("train", override)


def test_short_and_long_must_agree(monkeypatch):
    from engine.config import short_keys

    monkeypatch.setattr(short_keys, "_overridden", lambda: {"lr", "model.optimizer.lr"})
    with pytest.raises(ShortKeyError, match=r"lr=0\.5 and model\.optimizer\.lr=0\.25"):
        composed("train", "lr=0.5", "model.optimizer.lr=0.25")
    assert composed("train", "lr=0.5", "model.optimizer.lr=0.5")["model"]["optimizer"]["lr"] == 0.5


@pytest.mark.parametrize(
    ("override", "told"),
    [
        ("selection.monitor=val/accuracy", r"val/accuracy .*There are .*val/auc"),
        ("trainer.max_epochs=abc", r"trainer\.max_epochs=.abc.: must be a whole number"),
        ("epochs=abc", r"trainer\.max_epochs=.abc.: must be a whole number"),
        ("trainer=gpu", "no GPU here: trainer=cpu, or see make doctor"),
        ("trainer=ddp", "no GPU here: trainer=cpu, or see make doctor"),
        ("data.module.visits=1", r"data\.module\.visits=1: .*model/contrast=none"),
        ("width=30", "dim=30 cannot be divided among heads"),
        ("data=synthetic", "hoose a data= and a model="),
        ("trainer.precision=half", "Precision 'half' is invalid"),
        ("find_lr=true trainer.devices=2", "find_lr=true takes one device"),
        ("callbacks.best.every_n_epochs=-1", "every_n_epochs"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_wrong_value_is_refused_before_a_cohort_is_made(
    override, told, compose_run, series_overrides, tmp_path, monkeypatch
):
    import torch

    from engine.train import train

    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    monkeypatch.setattr("engine.train.build", lambda *_, **__: pytest.fail("a cohort was made"))
    with pytest.raises(Exception, match=told) as stop:
        train(
            compose_run(*series_overrides, *override.split(), f"paths.data={tmp_path}"),
            folder=tmp_path / "run",
        )
    assert is_users(stop.value)


@pytest.mark.parametrize(
    ("override", "told"),
    [
        ("data.module.train_clips.length=16", "data.module.eval_clips.length=8"),
        ("data.module.subjects=1", "no batch holds another person"),
        ("trainer.precision=bf16-mixed", "on a CPU is slower"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_remark_is_made_where_it_works_but_may_not_be_meant(
    override, told, compose_run, series_overrides, caplog
):
    from engine.config.selection import with_modes
    from engine.training.checks import check_batches, check_trainer

    config = compose_run(*series_overrides, override)
    with caplog.at_level(logging.WARNING):
        check_trainer(with_modes(config))
        check_batches(config)
    assert told in caplog.text


def test_a_download_without_a_network_is_one_message():
    # weights=pretrained offline; how long it tries is not ours
    from huggingface_hub.errors import LocalEntryNotFoundError

    error = LocalEntryNotFoundError("cannot find the requested files in the local cache")
    error.add_note("While building `model` of the config.")
    assert is_users(error)
    assert message(error, command="train").splitlines() == [
        "LocalEntryNotFoundError: cannot find the requested files in the local cache",
        "While building `model` of the config.",
    ]


def test_an_own_callback_is_refused_with_the_remedy(compose_run):
    from engine.config.targets import ForbiddenTarget, check_targets

    with pytest.raises(ForbiddenTarget, match=r"add trust=\[mycb\] to the command") as stop:
        check_targets(compose_run("+callbacks.mine._target_=mycb.Hello"))
    assert is_users(stop.value)


@pytest.mark.parametrize(
    "overrides",
    [
        "logger=wandb",
        "logger=tensorboard",
        "callbacks=early_stopping trainer.accumulate_grad_batches=2 model/optimizer=sgd",
        "model.optimizer._target_=torch.optim.Adam",
        "+callbacks.lr._target_=pytorch_lightning.callbacks.LearningRateMonitor",
        "data.module.train_clips.length=16 data.module.eval_clips.length=16",
        "trainer.gradient_clip_val=0.5 +trainer.profiler=simple",
        "init_from=best.ckpt lr=1e-5 epochs=1 seed=3",
    ],
)
def test_what_works_in_lightning_and_hydra_works_here(
    overrides, compose_run, series_overrides, monkeypatch, tmp_path
):
    from engine.config.selection import check_run, with_modes
    from engine.config.targets import check_targets
    from engine.training.checks import check_batches, check_model, check_trainer

    monkeypatch.chdir(tmp_path)
    config = compose_run(*[one for one in series_overrides if one != "logger=none"], *overrides.split())
    check_targets(config)
    check_run(config)
    config = with_modes(config)
    for check in (check_trainer, check_batches, check_model):
        check(config)


def test_a_callback_of_ones_own_is_refused_with_the_way_to_admit_it(compose_run, series_overrides):
    from engine.config.targets import ForbiddenTarget, check_targets

    config = compose_run(*series_overrides, "+callbacks.mine._target_=mycb.Hello")
    with pytest.raises(ForbiddenTarget, match=r"mycb\.Hello.*trust=\[mycb\]") as stop:
        check_targets(config)
    assert is_users(stop.value)


@pytest.mark.parametrize("override", ["model=resnet50", "experiment=mpdrm_serie"])
def test_a_choice_that_does_not_exist_is_answered_with_those_that_do(override):
    assert "mpdrm_series" in answer("train", override)


def test_a_rate_beside_the_range_test_is_refused():
    with pytest.raises(ShortKeyError, match=r"lr=0\.5 and find_lr=true"):
        composed("train", "lr=0.5", "find_lr=true")
