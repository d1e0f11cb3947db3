"""Every file under conf/ composes; every experiment builds at full size and takes a step."""

import re
from collections import defaultdict
from itertools import zip_longest
from pathlib import Path

import pytest
import torch
from omegaconf import OmegaConf

from datamodules.manifests.scales import SCALES
from engine.config.build import build, build_all
from engine.config.compose import ConfigError, root_keys
from engine.config.selection import check_run, with_modes
from engine.config.short_keys import SHORT
from engine.config.source_code import ROOT
from engine.config.targets import check_targets
from engine.config.value_ranges import check_settings
from engine.train import train
from engine.training.checks import check_model

CONF = ROOT / "conf"
EXPERIMENTS = sorted(path.stem for path in (CONF / "experiment").glob("*.yaml"))
EXPERIMENT_COUNT = 24
ZOO = sorted(leaf.stem for leaf in CONF.glob("model/trunk/*") if "zoo.sequence" in leaf.read_text())
BORROWED = ["dep_mgnn", "li_fpn", "mdn", "mpdrm_timm", "msn", "pra_net", "sta_drn", "video_network"]
BORROWED += ["vit_video"]  # large
PIXELS = ["experiment=mpdrm"]
SERIES = ["experiment=mpdrm_series"]
SETS, OF_SETS = ["experiment=feature_sets"], ("feature_sets", "synthetic_sets", "early", "gated", "late")
GROUPS = sorted(
    path.parent.relative_to(CONF).as_posix() for path in CONF.glob("*/**/*.yaml") if path.parent != CONF
)
SHARED = {CONF / "model" / "_task.yaml", *CONF.glob("data/_*.yaml"), *CONF.glob("analysis/**/*.yaml")}
PARTS = ("face", "store", "executor", "sampler", "pruner")
SHARED |= {leaf for group in PARTS for leaf in CONF.glob(f"{group}/*.yaml")}
LEAVES = sorted(set(CONF.glob("*/**/*.yaml")) - SHARED)
DATA = {path.stem: path.read_text() for path in (CONF / "data").glob("[!_]*.yaml")}
_ANSWERS = {
    "root: ???": "data.root=x",
    "path: ???": "data.path=x.csv",
    "manifests: ???": "data.manifest.manifests=[]",
}
_MISSING = {
    name: [answer for question, answer in _ANSWERS.items() if question in text] for name, text in DATA.items()
} | {
    "series": ["data.channels=3"],
    "tokens": ["++data.channels=3"],
    "cross_corpus": ["protocol.train=[x]", "protocol.test=[y]"],
}
_MISSING["features"] += ["data.channels=3"]
CORPORA = sorted(name for name, text in DATA.items() if "root: ???" in text)


def batch(config, *, persons=2, visits=2, steps=8, size=32):
    """What the datamodule would hand over: persons x visits, one clip each, all labels known."""
    count = persons * visits
    generator = torch.Generator().manual_seed(0)
    subject = torch.arange(persons).repeat_interleave(visits)
    content = {"frames": torch.randn(count, steps, 3, size, size, generator=generator)}
    if "channels" in config["data"]:
        content = {"series": torch.randn(count, steps, config["data"]["channels"], generator=generator)}
    rows = torch.arange(count)
    real = torch.ones(count, steps, len(config["data"].get("widths", ())), dtype=torch.bool)
    return (
        content
        | ({"set_mask": real} if "widths" in config["data"] else {})
        | {
            "mask": torch.ones(count, steps, dtype=torch.bool),
            "targets": {"score": rows * 7.0, "binary": (rows % 2).float(), "band": rows % 4},
            "target_mask": dict.fromkeys(("score", "binary", "band"), torch.ones(count, dtype=torch.bool)),
            "subject": subject,
            "visit": rows,
            "row": rows,
            "traits": torch.randn(count, 5, generator=generator),
            "traits_mask": torch.ones(count, 5, dtype=torch.bool),
            "clip": torch.zeros(count, dtype=torch.int64),
            "seed": rows,
            "scored": torch.ones(count, dtype=torch.bool),
            "recording_id": [f"r{row}" for row in rows],
            "subject_id": [f"s{code}" for code in subject],
            "session_id": [f"v{row}" for row in rows],
        }
    )


def step(config):
    """One optimizer step on the CPU; returns losses and the share of parameters that have a gradient."""
    task = build(config["model"] | {"scheduler": None}, key="model")  # which may ask a trainer for its steps
    optimizer = task.configure_optimizers()
    task.train()
    data = batch(config)
    losses = task.objective(task.network.heads, task.network(data), data)
    losses["loss"].backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in task.parameters())
    before = [p.detach().clone() for p in task.parameters()]
    optimizer.step()
    assert any(not torch.equal(old, new) for old, new in zip(before, task.parameters(), strict=True))
    return {name: value.item() for name, value in losses.items()}


def test_the_number_of_experiments_is_known():
    assert len(EXPERIMENTS) == EXPERIMENT_COUNT


@pytest.mark.parametrize(
    "experiment",
    [pytest.param(name, marks=pytest.mark.slow) if name in BORROWED else name for name in EXPERIMENTS],
)
def test_an_experiment_composes_builds_at_full_size_and_takes_a_step(experiment, compose_run):
    config = compose_run(f"experiment={experiment}")
    assert config["experiment_name"] == experiment
    check_targets(config)
    check_settings(config)
    check_run(config)
    with torch.device("meta"):
        task = build(config["model"], key="model")
    assert sum(p.numel() for p in task.network.parameters()) > 10_000
    assert all(p.is_meta for p in task.parameters())
    build(config["protocol"], key="protocol")
    build(config["data"]["module"] | {"_partial_": True}, key="data.module")
    callbacks = build_all(with_modes(config)["callbacks"], key="callbacks")
    build(config["trainer"], key="trainer", callbacks=callbacks)
    assert all(torch.tensor(list(step(config).values())).isfinite())


@pytest.mark.parametrize("experiment", EXPERIMENTS)
def test_an_experiment_has_its_card(experiment):
    text = (CONF / "experiment" / f"{experiment}.yaml").read_text()
    for entry in ("Command:", "Hardware:", "Wall time:", "Expect:"):
        assert f"# {entry}" in text
    assert f"experiment_name: {experiment}" in text


def _packed(base):
    """Choices in which every leaf that fits `base` comes once, in few configs: each takes half a second."""
    alone, options = [], defaultdict(list)
    for leaf in LEAVES:
        group, option = leaf.parent.relative_to(CONF).as_posix(), leaf.stem
        if group == "experiment" or option in CORPORA or not _fits(group, option, base):
            continue
        if group == "protocol/persons":
            alone.append({"protocol": "longitudinal", group: option})
        # what a data set or a model is made of differs, and not every trunk has a readout: one config each
        elif group in ("data", "model", "model/heads", "model/readout"):
            items = {"data/items": "depression"} if option.startswith("items") else {}
            alone.append({group: option} | items)
        else:
            options[group].append((group, option))
    return alone + [dict(filter(None, row)) for row in zip_longest(*options.values())]


def _fits(group, option, base):
    if group == "model/readout":
        return base is PIXELS
    series = {"data/clips": "series", "model/mmp": "series", "model/trunk": "series"}
    if base is SETS or option in OF_SETS:
        return base is SETS and option in OF_SETS
    if group == "data":
        return ("- clips: series" in DATA[option]) == (base is SERIES)
    of_series = (
        series.get(group) == option
        or option in ("levels", "deltas", "encoded", "mpdrm_tokens", *ZOO)
        or option.endswith(("_series", "_joint"))
    )
    return of_series == (base is SERIES)


@pytest.mark.parametrize("base", [PIXELS, SERIES, SETS], ids=["pixels", "series", "sets"])
@pytest.mark.slow
def test_every_leaf_composes_into_a_config_of_allowed_targets(base, compose_run):
    for chosen in _packed(base):
        asked = [own for group, own in chosen.items() if group != "data/clips" or own in ("series", "tokens")]
        missing = [value for option in asked for value in _MISSING.get(option, [])]
        config = compose_run(*base, *(f"{group}={option}" for group, option in chosen.items()), *missing)
        check_targets(config)
        check_settings(config)
        assert set(config) == root_keys("train") - set(SHORT["train"])


COHORTS = sorted(name for name, text in DATA.items() if re.search(r"cohort|synthetic_|extracted_", text))


@pytest.mark.parametrize("name", COHORTS)
def test_a_cohort_has_one_address_whatever_is_around_it(name, compose_run):
    base = PIXELS if name == "synthetic" else SERIES
    config = compose_run(*base, f"data={name}", "data.cohort.n_subjects=41")
    assert "cohort" not in config["data"]  # made once, of the copy in data.manifest
    text = str(config["data"]["manifest"])
    assert text.count("cohort.synthetic_manifest") == text.count("'n_subjects': 41") >= 1


def test_settings_of_a_cohort_that_nothing_reads_are_refused(compose_run):
    with pytest.raises(ConfigError, match=r"data\.cohort.*nothing reads it"):
        compose_run("data=manifest", "data.path=x.csv", "+data.cohort.n_subjects=4")
    with pytest.raises(ConfigError, match=r"'data\.cohort\.n_subject'.*did you mean 'n_subjects'"):
        compose_run(*SERIES, "+data.cohort.n_subject=4")


def test_no_leaf_is_left_out():
    chosen = [one for base in (PIXELS, SERIES, SETS) for one in _packed(base)]
    packed = {(group, option) for one in chosen for group, option in one.items()}
    leaves = {(leaf.parent.relative_to(CONF).as_posix(), leaf.stem) for leaf in LEAVES}
    alone = {("experiment", name) for name in EXPERIMENTS} | {("data", name) for name in CORPORA}
    assert leaves - packed == alone  # these have a test each


@pytest.mark.parametrize("name", CORPORA)
def test_the_leaf_of_a_corpus_names_its_source_and_its_channels(name, compose_run):
    kind = PIXELS if "- clips: pixels" in DATA[name] else SERIES
    config = compose_run(*kind, f"data={name}", *_MISSING[name])
    check_targets(config)
    data = config["data"]
    assert data["manifest"]["_target_"] == f"datamodules.sources.{name}.read"
    assert data["manifest"]["root"] == "x"
    if kind is SERIES and data["module"]["source"]["channels"] is not None:
        assert len(set(data["module"]["source"]["channels"])) == data["channels"]


def test_leaves_are_short_and_every_group_is_looked_at():
    known = {"data", "model", "trainer", "logger", "callbacks", "debug", "sweep", "paths", "protocol"}
    assert set(GROUPS) >= known
    assert {leaf: n for leaf in LEAVES if (n := len(leaf.read_text().splitlines())) > 40} == {}


def test_root_keys_are_those_of_the_root_and_its_groups(compose_run):
    assert set(compose_run()) == root_keys("train") - set(SHORT["train"])  # put into their places
    own = {"ckpt_path", "input", "trainer", "workers", "num_workers", "paths", "trust"}
    own |= {"accept_preprocessing", "history", "weights"}
    assert root_keys("predict") == own
    # analysis/phase lies below analysis
    assert {"analysis", "data"} <= root_keys("analyze")
    assert {"phase", "analysis/phase", "hydra"}.isdisjoint(root_keys("analyze"))


def test_scales_are_those_of_the_questionnaires():
    leaves = {path.stem: OmegaConf.load(path) for path in (CONF / "data" / "scale").glob("*.yaml")}
    assert len(leaves) == len(SCALES)
    for name, scale in SCALES.items():
        leaf = leaves[name.lower().replace("-", "_")]
        assert (leaf.name, leaf.low, leaf.high, leaf.bands) == (name, scale.low, scale.high, len(scale.bands))


@pytest.mark.parametrize("scale", ["dass_21_d", "dass_21_a", "phq_8"])
def test_the_labels_follow_the_scale_of_the_data(scale, compose_run):
    config = compose_run(*SERIES, "data=synthetic_dass", f"data/scale={scale}")
    check_targets(config)
    name = scale.upper().replace("_", "-")
    assert config["data"]["manifest"]["scale"] == config["data"]["scale"]["name"] == name
    assert config["data"]["manifest"]["manifest"]["n_subjects"] == 160


ABLATIONS = {
    "gate": ["model/rarm=gate"],
    "projection": ["model/rarm=projection"],
    "cross": ["model/rarm=cross"],
    "rarm off": ["model/rarm=none"],
    "clip context": ["model/context=clip"],
    "no context": ["model/context=none"],
    "no personality": ["model/personality=none", "model/context=none"],
    "calibrated context": ["model/context=calibrated"],
    "same visit": ["model/contrast=same_visit"],
    "other severity": ["model/contrast=severity"],
    "no contrast": ["model/contrast=none"],
    "no mmp": ["model/mmp=none"],
    "score head": ["model/heads=score"],
    "all heads": ["model/heads=all"],
    "orthogonality": ["model/orthogonality=difference"],
    "adversary": ["model/adversary=personality"],
    "traits": ["model/traits=big_five"],
    "width": ["width=32"],
}


@pytest.mark.parametrize("overrides", ABLATIONS.values(), ids=ABLATIONS)
@pytest.mark.slow
def test_an_ablation_is_one_override_away(overrides, compose_run):
    plain = compose_run(*SERIES)
    ablated = compose_run(*SERIES, *overrides)
    assert plain["model"] != ablated["model"]
    assert step(ablated).keys() >= {"loss"}


def test_positives_of_the_same_visit_are_in_the_batch(compose_run):
    assert compose_run(*SERIES)["data"]["module"]["clips"] == 1
    assert compose_run(*SERIES, "model/contrast=same_visit")["data"]["module"]["clips"] == 2


@pytest.mark.parametrize("base", [PIXELS, SERIES], ids=["pixels", "series"])
@pytest.mark.slow
def test_personality_from_motion_only(base, compose_run):
    option = "motion" if base is PIXELS else "deltas"
    config = compose_run(*base, f"model/personality={option}")
    personality = config["model"]["network"]["personality"]
    assert personality["input"]["_target_"] in ("models.inputs.FrameDifference", "models.inputs.Delta")
    step(config)


def test_a_misspelt_override_is_refused(compose_run):
    with pytest.raises(Exception, match="max_epoch"):
        compose_run("trainer.max_epoch=3")
    with pytest.raises(Exception, match="modle"):
        compose_run("modle=mpdrm")
    with pytest.raises(Exception, match="mpdrn"):
        compose_run("experiment=mpdrn")


def test_a_misspelt_root_key_of_an_experiment_is_refused(compose_run):
    with pytest.raises(ConfigError, match="did you mean 'seed'"):
        compose_run("+seeed=3")


def test_data_and_model_of_two_kinds_are_refused_with_the_remedy(compose_run):
    with pytest.raises(ConfigError, match="same kind"):
        compose_run(*PIXELS, "model=mpdrm_series")


def test_series_for_a_network_of_pixels_are_refused_before_they_are_made(compose_run):
    for overrides in (["data=synthetic_series"], ["model=baseline", "data=synthetic_series"]):
        with pytest.raises(ConfigError, match=r"reads frames .* the data give series.*=mpdrm_series"):
            check_model(compose_run(*overrides))
    with pytest.raises(ConfigError, match="reads series"):
        check_model(compose_run("data=synthetic", "model=mpdrm_series", "+data.channels=17"))


def test_what_all_models_share_is_no_model(compose_run):
    with pytest.raises(ConfigError, match=r"no network.*model=mpdrm or model=baseline"):
        check_model(compose_run("model=_task"))


@pytest.mark.parametrize("trunk", [*ZOO, "series", "pixels"])
def test_every_trunk_is_a_baseline(trunk, compose_run):
    data = {"pixels": "synthetic", "facial_pulse": "synthetic_landmarks"}.get(trunk, "synthetic_series")
    config = compose_run("model=baseline", f"model/trunk={trunk}", f"data={data}", "width=16")
    check_model(config)
    assert step(config).keys() == {"loss", "score", "binary"}


@pytest.mark.slow
def test_a_network_of_one_token_refuses_motion_with_the_remedy(compose_run):
    with pytest.raises(ValueError, match="model/mmp=none"):
        check_model(compose_run("model/trunk=li_fpn"))
    check_model(compose_run("model/trunk=li_fpn", "model/mmp=none"))


@pytest.mark.parametrize("part", ["depression", "personality", "context", "rarm", "heads.score"])
def test_a_string_in_place_of_a_part_says_how_to_swap_it(part, compose_run):
    config = compose_run(*SERIES)
    *outer, name = part.split(".")
    holder = config["model"]["network"]
    for step_down in outer:
        holder = holder[step_down]
    holder[name] = "gate"
    with pytest.raises(TypeError, match=f"^{part} must be") as caught:
        build(config["model"], key="model")
    named = re.findall(r"(model/\w+)=", str(caught.value))
    assert named
    assert set(named) <= set(GROUPS)


def test_a_model_that_cannot_be_built_stops_before_a_cohort_is_made(compose_run, tmp_path):
    config = compose_run(
        *SERIES, "model.network.rarm.heads=7", "data.cohort.root=" + str(tmp_path / "cohort")
    )
    with pytest.raises(ValueError, match="heads=7"):
        train(config, folder=tmp_path / "run")
    assert not (tmp_path / "cohort").exists()


def test_no_yaml_calculates():
    for path in CONF.rglob("*.yaml"):
        for found in re.findall(r"\$\{([^}]*)\}", path.read_text()):
            allowed = re.fullmatch(
                r"[a-z_.]+|hydra:[a-z_.]+|now:.*|(run_folder|trial|choices|typed):.*|oc\.(env|select):[\w.]+,.*",
                found,
            )
            assert allowed, f"{path}: ${{{found}}}"
    assert Path(CONF / "train.yaml").is_file()
