import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from engine.config.compose import ConfigError
from engine.sweeping.command_line import apart, check_password, check_words, worker_command
from engine.sweeping.space import read_space


@pytest.mark.parametrize(
    ("written", "distribution"),
    [
        ("lr=tag(log,interval(1e-4,1e-2))", FloatDistribution(1e-4, 1e-2, log=True)),
        ("width=interval(1,2)", FloatDistribution(1, 2)),
        ("width=int(interval(1,8))", IntDistribution(1, 8)),
        ("epochs=range(5,20,5)", IntDistribution(5, 15, step=5)),
        ("width=16,32", CategoricalDistribution(("16", "32"))),
        ("model/rarm=choice(gate,cross)", CategoricalDistribution(("gate", "cross"))),
        ("+a=[1,2],[3]", CategoricalDistribution(("[1,2]", "[3]"))),
        ("a='p q',z", CategoricalDistribution(("'p q'", "z"))),
        ("a=range(0,1,0.5)", CategoricalDistribution(("0.0", "0.5"))),
    ],
)
def test_what_hydra_sweeps_over_is_a_distribution(written, distribution):
    space = read_space([written, "seed=4"])
    name = written.partition("=")[0]
    assert dict(space.dimensions) == {name: distribution}
    assert space.fixed == ("seed=4",)
    assert space.written == {name: written.partition("=")[2]}


def test_seeds_are_no_dimension_and_values_become_a_command_line():
    space = read_space(
        ["experiment=mpdrm", "seed=0,1,2", "lr=interval(0.1,0.2)", "width=8,16", "width=32,64"]
    )
    assert space.seeds == (0, 1, 2)
    assert list(space.dimensions) == ["lr", "width"]
    given = space.overrides({"lr": 0.15, "width": "32"}, seed=2)
    assert given == ["experiment=mpdrm", "lr=0.15", "width=32", "seed=2"]


def test_a_grid_takes_every_value_as_one_of_a_list_and_counts_its_points():
    space = read_space(["epochs=range(1,4)", "width=8,16", "seed=0,1"], grid=True)
    assert space.points == {"epochs": ("1", "2", "3"), "width": ("8", "16")}
    assert all(isinstance(one, CategoricalDistribution) for one in space.dimensions.values())
    assert space.size == 6


@pytest.mark.parametrize(
    ("words", "grid", "says"),
    [
        (["width=32"], False, "nothing is searched.*sweep=seeds"),
        (["seed=0,1"], False, "nothing is searched.*sweep=seeds"),
        (["lr=interval(0.1,0.2)"], True, "a grid needs values.*sampler=random"),
        (["lr=1,2", "model.optimizer.lr=3"], False, "lr is short for model.optimizer.lr"),
        (["lr=1,2", "evaluation.test=true"], False, "evaluation.test: each trial of a sweep has its own"),
        (["lr=1,2", "resume=last"], False, "resume: each trial"),
        (["width=glob(*)"], False, "cannot be listed"),
        (["lr=1,2", "seed=interval(0,1)"], False, "seeds are whole numbers"),
        (["lr=tag(log,interval(0,1))"], False, "lr=tag"),
    ],
)
def test_a_space_that_cannot_be_meant_is_refused(words, grid, says):
    with pytest.raises(ConfigError, match=says):
        read_space(words, grid=grid)


TRAINED = ["paths.data=y", "seed=1", "model/trunk=tcn", "~callbacks.best", "+trainer.x=1", "data.workers=3"]


def test_the_words_of_a_sweep_are_told_from_those_of_the_training():
    own, trained = apart(
        ["pruner=median", "pruner.n_warmup_steps=1", "workers=2", "hydra.run.dir=x", "--cfg", "job", *TRAINED]
    )
    assert own == ["pruner=median", "pruner.n_warmup_steps=1", "workers=2", "hydra.run.dir=x", "--cfg", "job"]
    assert trained == TRAINED


def test_a_misspelt_setting_of_the_sweep_is_named_and_one_of_the_training_passes():
    with pytest.raises(ConfigError, match="'n_trails'; did you mean 'n_trials'"):
        check_words(["n_trails=3"])
    check_words(["width=3", "protocol=kfold", "model/trunk=tcn", "trainer.max_epoch=3"])


def test_a_worker_has_the_command_of_its_sweep_and_its_folder(monkeypatch, tmp_path):
    monkeypatch.setattr("sys.argv", ["sweep.py", "n_trials=3", "lr=1,2", "hydra.run.dir=old"])
    words = worker_command(tmp_path)
    assert words[2:4] == ["n_trials=3", "lr=1,2"]
    assert f"hydra.run.dir={tmp_path}" in words
    assert "hydra.run.dir=old" not in words
    assert "worker=true" in words


def test_a_seed_is_averaged_over_however_it_is_written():
    assert read_space(["++seed=0,1", "lr=1e-3,1e-2"]).seeds == (0, 1)


def test_a_setting_is_given_once():
    with pytest.raises(ConfigError, match="lr: is given twice, with and without"):
        read_space(["++lr=1e-3,1e-2", "lr=1e-3"])


@pytest.mark.parametrize("word", ["protocol.seed=0,1", "++protocol.val=0.1,0.2", "protocol=kfold,holdout"])
def test_who_validates_is_not_searched(word):
    with pytest.raises(ConfigError, match="validate other persons, so that values do not compare"):
        read_space([word, "lr=1e-3,1e-2"])


def test_an_address_with_a_password_is_refused_before_anything_is_written():
    check_password("storage=postgresql+psycopg://me@host:5432/sweeps")
    check_password("storage=sqlite:////tmp/a:b@c.db")
    with pytest.raises(ConfigError, match="PGPASSWORD") as raised:
        check_password("n_trials=3 storage='postgresql+psycopg://me:secret@host/sweeps'")
    assert "secret" not in str(raised.value)
