import sys

import pytest

from engine import targets
from engine.targets import THIRD_PARTY, ForbiddenTarget, check_targets

FOREIGN = [
    "os.system",
    "subprocess.run",
    "builtins.eval",
    "hydra.utils.instantiate",
    "functools.partial",
    "torch.load",
    "models.task.torch.load",  # through a module that one of ours imports
    "datamodules.manifest.Path",  # a name one of ours imports
    "engine.callbacks.pl",
    "engine.callbacks._is_scalar",  # private
    "engine.callbacks.History._write",  # a method
    "engine.targets.check_targets",  # the plumbing builds, it is not built
    "models.task",  # a module
    "models..task.Task",
    "models./../engine/seed.seed_run",
    "modelsx.task.Task",
    "Task",
    "",
]


def test_accepts_what_this_checkout_defines_and_what_is_listed():
    check_targets(
        {
            "own": {"_target_": "engine.callbacks.History", "path": "history.csv"},
            "listed": [{"_target_": "torch.optim.AdamW", "_partial_": True, "lr": 1e-3}],
            "scalars": [None, True, 1, 0.5, "text", {"deep": ("tuple",)}],
        }
    )


@pytest.fixture(autouse=True)
def _forget():
    targets._defined.cache_clear()  # it remembers files of another root


@pytest.mark.parametrize("target", FOREIGN)
def test_refuses_foreign_targets_and_names_the_key(target):
    with pytest.raises(ForbiddenTarget, match=r"model\.heads\[1\]\._target_"):
        check_targets({"model": {"heads": [{}, {"_target_": target}]}})


@pytest.mark.parametrize("target", [None, 3, ["os.system"], {"_target_": "torch.optim.AdamW"}, print])
def test_refuses_targets_that_are_no_text(target):
    with pytest.raises(ForbiddenTarget, match=r"a\._target_"):
        check_targets({"a": {"_target_": target}})


@pytest.mark.parametrize(
    "node",
    [
        {"a": "${oc.create:{_target_: os.system}}"},
        {"a": {"_target_": "${b}"}, "b": "os.system"},
        {"${a}": 1},
        {"a": {1: 2}},
        {"a": print},
        {"a": {1, 2}},
    ],
    ids=["resolver", "indirect", "key", "number as key", "callable", "set"],
)
def test_refuses_what_could_become_a_target_later(node):
    with pytest.raises(ForbiddenTarget):
        check_targets(node)


def test_looks_up_our_own_targets_without_importing_them(tmp_path, monkeypatch):
    package = tmp_path / "models"
    package.mkdir()
    (package / "canary.py").write_text(
        "import sys\nfrom os import system\nsys.canary = 1\nclass Bird:\n    pass\n"
    )
    monkeypatch.setattr("engine.targets.ROOT", tmp_path)
    check_targets({"_target_": "models.canary.Bird"})
    with pytest.raises(ForbiddenTarget):
        check_targets({"_target_": "models.canary.system"})
    assert not hasattr(sys, "canary")
    assert "models.canary" not in sys.modules


def test_refuses_a_file_that_a_link_moves_out_of_the_checkout(tmp_path, monkeypatch):
    (tmp_path / "evil.py").write_text("def run(): ...\n")
    checkout = tmp_path / "checkout"
    (checkout / "models").mkdir(parents=True)
    (checkout / "models" / "evil.py").symlink_to(tmp_path / "evil.py")
    monkeypatch.setattr("engine.targets.ROOT", checkout)
    with pytest.raises(ForbiddenTarget):
        check_targets({"_target_": "models.evil.run"})


def test_every_listed_callable_exists():
    from hydra.utils import get_object

    for target in THIRD_PARTY:
        assert callable(get_object(target)), target
