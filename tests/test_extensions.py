"""The template of docs/extending, installed from its own folder: found, refused, trusted, trained with."""

import hashlib
import importlib
import json
import os
import shutil
import subprocess
import sys
from importlib import import_module
from types import SimpleNamespace

import pytest
import torch
from hydra import compose, initialize_config_dir

from engine.checkpoints.checkpoint import load_checkpoint
from engine.checkpoints.recorded_config import check_recorded
from engine.config.choices import choices
from engine.config.compose import ConfigError
from engine.config.extensions import ExtensionError, extend_search_path, extensions
from engine.config.installed import code_digest, code_of
from engine.config.source_code import ROOT, arguments
from engine.config.targets import ForbiddenTarget, check_targets, trusted, trusting
from engine.training.fit import fit_split
from engine.training.prepare import compose_training, material
from tests.models import trunk_contract as contract

NAME = "euthymia_template"
TRUST = f"trust=[{NAME}]"
CHOSEN = ["model=baseline", "model/trunk=last_frame", "data=walks", "callbacks=tell_loss"]
ADVICE = (
    f"of the installed package euthymia-template 0.1.0: where you trust its code, add {TRUST} to the command."
)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A folder that pip installed the template into; whoever imports it leaves a file there."""
    source, site = tmp_path_factory.mktemp("source") / "template", tmp_path_factory.mktemp("site")
    shutil.copytree(ROOT / "docs/extending/template", source)
    with (source / NAME / "__init__.py").open("a") as out:
        out.write("from pathlib import Path\n\nPath(__file__).with_name('imported').touch()\n")
    offline = ["--no-deps", "--no-build-isolation", "--no-index", "--disable-pip-version-check"]
    command = [sys.executable, "-m", "pip", "install", *offline, "--target", str(site), str(source)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stderr
    return site


@pytest.fixture
def installed(site, monkeypatch):
    """The template as installed in this process, and forgotten afterwards."""
    imported(site).unlink(missing_ok=True)
    monkeypatch.syspath_prepend(site)
    yield site
    extend_search_path([])
    for module in [name for name in sys.modules if name.partition(".")[0] == NAME]:
        del sys.modules[module]


def imported(site):
    return site / NAME / "imported"


def command(site, script, *words):
    path = os.pathsep.join([str(site), str(ROOT), os.environ.get("PYTHONPATH", "")])
    return subprocess.run(
        [sys.executable, str(ROOT / script), *words],
        capture_output=True,
        text=True,
        timeout=250,
        env=os.environ | {"PYTHONPATH": path, "OMP_NUM_THREADS": "1"},
    )


def composed(*words):
    extend_search_path(words)
    with initialize_config_dir(str(ROOT / "conf"), version_base="1.3"):
        return compose("train", list(words))


def test_without_trust_a_command_names_the_distribution_and_runs_nothing_of_it(site, tmp_path):
    imported(site).unlink(missing_ok=True)
    done = command(site, "train.py", *CHOSEN, f"hydra.run.dir={tmp_path}/run")
    assert done.returncode == 1
    assert f"callbacks/tell_loss is {ADVICE}" in done.stderr
    assert "Traceback" not in done.stderr.replace("shows the traceback", "")
    assert not imported(site).exists()
    assert not (tmp_path / "run").exists()


def test_trusted_leaves_are_composed_like_ours_without_an_import(installed):
    config = composed(*CHOSEN, TRUST, "paths.output=x")
    assert config.model.network.depression.trunk._target_ == f"{NAME}.trunk.LastFrame"
    assert config.data.manifest._target_ == f"{NAME}.recordings.walks"
    assert config.callbacks.tell_loss._target_ == f"{NAME}.callback.TellLoss"
    assert config.callbacks.best._target_.endswith("ModelCheckpoint")  # of ours, which theirs stands on
    assert arguments(f"{NAME}.trunk.LastFrame") == ("channels", "dim", "mmp")  # by which keys are checked
    assert not imported(installed).exists()


def test_a_training_that_is_composed_in_code_trusts_what_its_words_trust(installed, tmp_path):
    words = [*CHOSEN, "debug=fast", f"paths.data={tmp_path}"]
    config = compose_training([*words, TRUST], output=tmp_path)
    assert config["trust"] == [NAME]
    assert config["model"]["network"]["depression"]["trunk"]["_target_"] == f"{NAME}.trunk.LastFrame"
    manifest, split = material(config)
    assert {*split.train} < {*manifest.table["recording_id"]}
    fitted = fit_split(config, manifest, split, folder=tmp_path)
    assert trusted() == ()
    load = trusting(lambda config, path: load_checkpoint(path))
    assert load(config, fitted.best).config["data"]["manifest"]["_target_"] == f"{NAME}.recordings.walks"
    with pytest.raises(ForbiddenTarget, match=r"add trust=\[euthymia_template\]"):
        fit_split(config | {"trust": []}, manifest, split, folder=tmp_path / "untrusted")
    with pytest.raises(ForbiddenTarget, match=r"add trust=\[euthymia_template\]"):
        material(config | {"trust": []})
    with pytest.raises(ConfigError) as refused:
        compose_training(words, output=tmp_path)
    assert ADVICE in str(refused.value)


@pytest.mark.parametrize("given", ["true", "3", NAME])
def test_a_composed_training_whose_trust_is_no_list_is_told_how_to_write_one(given, tmp_path):
    with pytest.raises(ForbiddenTarget, match=r"^trust=.* Write trust=\[my_package\]"):
        compose_training(["experiment=mpdrm_series", f"trust={given}"], output=tmp_path)


def test_a_help_lists_the_leaves_of_installed_packages_with_what_they_need(installed):
    assert "  model/trunk=last_frame trust=[euthymia_template]" in choices("train").splitlines()
    assert "last_frame" not in choices("predict")


def test_a_leaf_of_ours_is_never_replaced_and_the_clash_is_told(installed, caplog):
    theirs = installed / NAME / "conf/model/trunk/lstm.yaml"
    theirs.write_text((theirs.with_name("last_frame.yaml")).read_text())
    try:
        config = composed("experiment=mpdrm_series", "model/trunk=lstm", TRUST, "paths.output=x")
    finally:
        theirs.unlink()
    assert config.model.network.depression.trunk._target_ == "models.zoo.sequence.lstm.LSTMTrunk"
    assert "euthymia-template 0.1.0: model/trunk/lstm: not read, one of ours has this name" in caplog.text


def test_a_leaf_that_others_build_on_is_never_taken_from_elsewhere(installed):
    hidden = installed / NAME / "conf/model/_task.yaml"
    hidden.write_text("a: 1\n")
    assert (ROOT / "conf/model/_task.yaml").is_file()
    try:
        with pytest.raises(ExtensionError, match="model/_task: not read, one of ours has this name"):
            composed(*CHOSEN, TRUST, "paths.output=x")
    finally:
        hidden.unlink()


def test_a_misspelt_package_is_named_and_a_folder_of_its_name_is_none(installed, tmp_path, monkeypatch):
    with pytest.raises(ForbiddenTarget, match="did you mean 'euthymia_template'"):
        trusting(lambda config: None)({"trust": ["euthymia_templat"]})
    (tmp_path / "ghost" / "conf" / "model").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    point = SimpleNamespace(value="ghost.conf")
    monkeypatch.setattr("engine.config.extensions.metadata.entry_points", lambda group: [point])
    assert extensions() == []


def test_parts_of_a_namespace_package_are_one_in_any_order(tmp_path, monkeypatch):
    for part in ("one", "two"):
        folder = tmp_path / part / "acme_faces" / part / "conf"
        folder.mkdir(parents=True)
        (folder.parent / "code.py").write_text(part)
    places, found = [str(tmp_path / part) for part in ("one", "two")], []
    points = [SimpleNamespace(value=f"acme_faces.{part}.conf") for part in ("one", "two")]
    monkeypatch.setattr("engine.config.extensions.metadata.entry_points", lambda group: points)
    for order in (places, places[::-1]):
        monkeypatch.setattr("sys.path", [*order, *sys.path])
        importlib.invalidate_caches()
        assert all(one.folder.is_dir() for one in extensions())
        found.append(code_digest("acme_faces"))
    assert found[0] == found[1]


def test_a_target_that_nobody_trusts_names_the_distribution_in_configs_and_checkpoints(installed):
    node = {"model": {"network": {"_target_": f"{NAME}.trunk.LastFrame"}}}
    for check in (check_targets, check_recorded):
        with pytest.raises(ForbiddenTarget) as refused:
            check(node)
        assert ADVICE in str(refused.value)
    assert not imported(installed).exists()
    with pytest.raises(ForbiddenTarget) as refused:
        check_targets({"a": {"_target_": "os.system"}})
    assert "trust=[os]" not in str(refused.value)  # which would be refused as well


def test_what_is_recorded_of_a_trusted_package_follows_its_python_files(installed):
    package = installed / NAME
    digest = hashlib.sha256()
    for file in sorted(package.rglob("*.py")):
        content = file.read_bytes()
        digest.update(f"{file.relative_to(installed).as_posix()}\0{len(content)}\0".encode() + content)
    told = {"distribution": "euthymia-template", "version": "0.1.0", "sha256": digest.hexdigest()}
    assert code_of([NAME]) == {NAME: told}
    (package / "conf/note.yaml").write_text("a: 1\n")
    assert code_digest(NAME) == told["sha256"]
    (package / "more.py").write_text("")
    changed = code_digest(NAME)
    (package / "more.py").unlink()
    assert changed != told["sha256"] == code_digest(NAME)


def test_the_trunk_of_the_template_keeps_the_contract_of_trunks(installed):
    trunk = import_module(f"{NAME}.trunk").LastFrame(channels=5, dim=16)
    x, mask = contract.batch((5,), 12)
    contract.check_shapes_gradients_and_masked_values(trunk, x, mask)
    contract.check_rows_do_not_see_each_other(trunk, x, mask)
    tokens = trunk(x, mask)
    more = torch.cat([x, torch.full_like(x[:, :3], torch.nan)], 1)
    padded = trunk(more, torch.cat([mask, torch.zeros_like(mask[:, :3])], 1))
    assert torch.equal(tokens, padded)


def test_the_page_shows_what_is_tried_here(monkeypatch):
    page = (ROOT / "docs/extending/README.md").read_text()
    assert f"\neuthymia train {' '.join([*CHOSEN, TRUST, 'debug=fast'])}\n" in page
    assert f"\nmodel/trunk/last_frame is {ADVICE}\n" in page
    monkeypatch.syspath_prepend(ROOT / "docs/extending/template")
    assert f'"sha256": "{code_digest(NAME)}"' in page
    assert f"\neuthymia eval ckpt_path=<ckpt> {TRUST}\n" in page
    assert f"\neuthymia predict ckpt_path=<ckpt> input=data/walks {TRUST}\n" in page


@pytest.fixture(scope="module")
def trained(site, tmp_path_factory):
    """The folder in which the template was trained with as its page shows it, and its words."""
    place = tmp_path_factory.mktemp("trained")
    words = [*CHOSEN, TRUST, "debug=fast", "evaluation.lines=[]", f"paths.data={place}/data"]
    done = command(site, "train.py", *words, f"hydra.run.dir={place}/run")
    assert done.returncode == 0, done.stderr[-2000:]
    told = done.stdout + done.stderr
    assert "[euthymia_template.callback][INFO] - loss " in told
    best = f"{place}/run/checkpoints/best.ckpt"  # what it says to type next is what works
    assert f"python eval.py ckpt_path={best} {TRUST} " in told
    assert f"python predict.py ckpt_path={best} {TRUST} input=" in told
    return place, words


def record_of(folder):
    return json.loads((folder / "manifest.json").read_text())


@pytest.mark.slow
def test_a_run_records_what_it_trusted_and_shows_it(trained):
    run = trained[0] / "run"
    assert record_of(run)["trust"] == [NAME]
    code = record_of(run)["trusted_packages"][NAME]
    assert (code["distribution"], code["version"]) == ("euthymia-template", "0.1.0")
    page = (run / "report.html").read_text()
    assert f"code of euthymia-template 0.1.0 with SHA-256 {code['sha256'][:16]}" in page


@pytest.mark.slow
@pytest.mark.parametrize("script", ["eval.py", "predict.py"])
def test_its_checkpoint_is_read_where_the_package_is_trusted_again(script, trained, site, tmp_path):
    place, _ = trained
    table, walk = tmp_path / "new.csv", next((place / "data").rglob("*.npz"))
    table.write_text(f"recording_id,subject_id,session_id,path,series_path\nnew,p1,1,,{walk}\n")
    given = {"eval.py": [], "predict.py": [f"input={table}"]}[script]
    words = [f"ckpt_path={place}/run/checkpoints/best.ckpt", f"paths.data={place}/data", *given]
    refused = command(site, script, *words, f"hydra.run.dir={tmp_path}/refused")
    assert refused.returncode == 1
    assert ADVICE in refused.stderr
    done = command(site, script, *words, TRUST, f"hydra.run.dir={tmp_path}/run")
    assert done.returncode == 0, done.stderr[-2000:]
    assert record_of(tmp_path / "run")["trusted_packages"] == record_of(place / "run")["trusted_packages"]
    if script == "eval.py":
        here, there = (json.loads((folder / "run/metrics.json").read_text()) for folder in (tmp_path, place))
        assert here["test"] == there["test"]


@pytest.mark.slow
def test_a_run_that_goes_on_under_other_code_of_the_package_says_so(trained, site):
    place, words = trained
    same = command(site, "train.py", *words, f"resume={place}/run")
    assert (same.returncode, "other code" in same.stdout + same.stderr) == (0, False)
    trunk = site / NAME / "trunk.py"
    before = trunk.read_text()
    trunk.write_text(before + "# another line\n")
    try:
        again = command(site, "train.py", *words, f"resume={place}/run")
    finally:
        trunk.write_text(before)
    assert again.returncode == 0, again.stderr[-2000:]
    assert f"was run with other code of the trusted package {NAME}: 0.1.0" in again.stdout + again.stderr
