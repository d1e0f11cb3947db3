import sys

import pytest

from engine.checkpoints.recorded_config import check_recorded
from engine.config import source_code
from engine.config.allowlist import CHECKPOINT, THIRD_PARTY
from engine.config.targets import ForbiddenTarget, check_targets, trusted, trusting

FOREIGN = [
    "os.system",
    "subprocess.run",
    "builtins.eval",
    "hydra.utils.instantiate",
    "functools.partial",
    "torch.load",
    "models.task.torch.load",  # through a module that one of ours imports
    "datamodules.manifests.manifest.Path",  # a name one of ours imports
    "engine.training.callbacks.pl",
    "engine.training.callbacks._is_scalar",  # private
    "engine.training.callbacks.History._write",  # a method
    "engine.config.targets.check_targets",  # the plumbing builds, it is not built
    "models.task",  # a module
    "models..task.Task",
    "models./../engine/seed.seed_run",
    "modelsx.task.Task",
    "Task",
    "",
    "datamodules.sources.trees.shared.avec.write_label",  # writers
    "evaluation.report.page.write_page",
    "datamodules.checks.validate.main",
    "datamodules.readers.index.index_cache.cache_entry",
    "my_package.Net",  # a package that nobody trusts
]


def test_accepts_what_this_checkout_defines_and_what_is_listed():
    check_targets(
        {
            "own": {"_target_": "engine.training.callbacks.History", "path": "history.csv"},
            "listed": [{"_target_": "torch.optim.AdamW", "_partial_": True, "lr": 1e-3}],
            "scalars": [None, True, 1, 0.5, "text", {"deep": ("tuple",)}],
        }
    )


@pytest.fixture(autouse=True)
def _forget():
    source_code._body.cache_clear()  # it remembers files of another root


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
    monkeypatch.setattr("engine.config.source_code.ROOT", tmp_path)
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
    monkeypatch.setattr("engine.config.source_code.ROOT", checkout)
    with pytest.raises(ForbiddenTarget):
        check_targets({"_target_": "models.evil.run"})


def test_every_listed_callable_exists():
    from hydra.utils import get_object

    for target in THIRD_PARTY | CHECKPOINT:
        assert callable(get_object(target)), target


@pytest.fixture
def my_package(tmp_path, monkeypatch):
    """An installed package of the user's own."""
    (tmp_path / "my_package").mkdir()
    (tmp_path / "my_package" / "__init__.py").write_text(
        "import os\nfrom os import system\nfrom torch import nn\n\n\nclass Net(nn.Module):\n    pass\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    yield "my_package"
    sys.modules.pop("my_package", None)


def _named(target):
    return {"model": {"network": {"_target_": target}}}


def test_a_trusted_package_may_be_named_for_as_long_as_the_command_runs(my_package):
    @trusting
    def command(config):
        check_targets(_named("my_package.Net"))
        return trusted()

    assert command({"trust": [my_package]}) == ("my_package",)
    assert trusted() == ()
    for config in ({}, {"trust": []}, {"trust": None}):
        with pytest.raises(ForbiddenTarget, match=r"trust=\[my_package\]"):
            command(config)


@pytest.mark.parametrize(
    "target", ["my_package.system", "my_package.os.system", "my_package.nn.Linear", "my_package.Net.forward"]
)
def test_what_a_trusted_package_imports_is_not_trusted(target, my_package):
    for check in (check_targets, check_recorded):
        with pytest.raises(ForbiddenTarget):
            trusting(lambda config, check=check: check(_named(target)))({"trust": [my_package]})


def test_a_misspelt_class_of_a_trusted_package_is_told_as_such(my_package):
    with pytest.raises(ForbiddenTarget, match=r"my_package of the trusted package defines .* 'Nett'") as stop:
        trusting(lambda config: check_targets(_named("my_package.Nett")))({"trust": [my_package]})
    assert "add trust=" not in str(stop.value)


@pytest.mark.parametrize(
    "name",
    ["os", "builtins", "subprocess", "torch", "hydra", "models", "my_package.deep", "not_there", "", 3],
)
def test_what_cannot_be_trusted_is_said(name):
    with pytest.raises(ForbiddenTarget, match="trust"):
        trusting(lambda config: None)({"trust": [name]})


@pytest.mark.parametrize("names", [True, 3, 0.5, "my_package", {"my_package": True}, [["my_package"]]])
def test_what_is_no_list_of_packages_is_told_how_to_write_one(names):
    with pytest.raises(
        ForbiddenTarget, match=r"^trust=.* is no list of names\. Write trust=\[my_package\]\."
    ):
        trusting(lambda config: None)({"trust": names})


def test_a_checkpoint_of_a_trusted_package_needs_the_trust_again(my_package, tiny_checkpoint):
    from engine.checkpoints.checkpoint import load_checkpoint

    def change(record):
        record["config"]["model"]["network"] = {"_target_": "my_package.Net", "anything": [1]}
        record["config"]["trust"] = [my_package]  # never read

    path = tiny_checkpoint(change)
    with pytest.raises(ForbiddenTarget, match="trust="):
        load_checkpoint(path)
    load = trusting(lambda config: load_checkpoint(path))
    assert load({"trust": [my_package]}).config["model"]["network"]["anything"] == [1]


def test_what_is_not_built_again_does_not_matter(my_package, tiny_config):
    from engine.checkpoints.recorded_config import recorded

    tiny_config["callbacks"] = {"mine": {"_target_": "my_package.Net", "dirpath": "/tmp/x"}}
    tiny_config["logger"] = [{"_target_": "my_package.Net"}]
    tiny_config["model"]["scheduler"] = {"_target_": "my_package.Net", "_partial_": True}
    check_recorded(recorded(tiny_config))
