"""The pipeline that a checkpoint names: what of it is built, and what a stranger may not ask for."""

from copy import deepcopy

import pytest
from hydra import compose, initialize_config_dir

from datamodules.manifests.preprocessing import Preprocessing
from engine.checkpoints.recorded_pipeline import pipeline_settings
from engine.cohort.face_pipeline import PARTS, pipeline_of
from engine.config.allowlist import PIPELINE
from engine.config.compose import plain_config, root_keys
from engine.config.source_code import ROOT
from engine.config.targets import ForbiddenTarget

ALIGNER = "preprocessing.alignment.aligner.Aligner"


def cache_settings(*overrides):
    """What a cache says of its settings."""
    with initialize_config_dir(str(ROOT / "conf"), version_base="1.3"):
        config = compose("preprocess", overrides=["input=x", "output=y", "paths.output=z", *overrides])
        plain = plain_config(config, keys=root_keys("preprocess"))
    return {name: plain[name] for name in PARTS}


@pytest.fixture(scope="module")
def recorded():
    return cache_settings()


def of(settings):
    return Preprocessing(fingerprint="a" * 64, settings=settings, provenance={})


def test_the_default_pipeline_is_built_again(recorded):
    settings = pipeline_settings(of(recorded))
    pipeline = pipeline_of(settings)
    assert pipeline.aligner.size == recorded["aligner"]["size"]
    assert type(pipeline.backend).__name__ == "LitertFaces"
    assert "models" not in settings["face"]  # where the networks lie is this machine's


@pytest.mark.parametrize("group", ["face", "store"])
def test_every_leaf_of_the_command_can_be_built_again(group):
    for leaf in sorted((ROOT / "conf" / group).glob("*.yaml")):
        settings = cache_settings(f"{group}={leaf.stem}")
        assert settings[group]["_target_"] in PIPELINE[group]
        pipeline_settings(of(settings))


HOSTILE = {
    "another class": lambda s: s["aligner"].update(_target_="os.system"),
    "a class of another part": lambda s: s["store"].update(_target_=ALIGNER),
    "no class": lambda s: s["store"].pop("_target_"),
    "a part as text": lambda s: s.update(aligner="x"),
    "a part built inside": lambda s: s["aligner"].update(size={"_target_": ALIGNER}),
    "a word of hydra": lambda s: s["aligner"].update(_args_=[1]),
    "in parts": lambda s: s["aligner"].update(_partial_=True),
    "an argument that is none": lambda s: s["aligner"].update(output="x"),
    "text for a number": lambda s: s["aligner"].update(size="/etc/passwd"),
    "pixels without end": lambda s: s["aligner"].update(size=10**9),
    "faces without end": lambda s: s["face"].update(max_faces=10**12),
    "another share": lambda s: s.update(least_usable="x"),
    "a further part": lambda s: s.update(output="/etc"),
    "a missing part": lambda s: s.pop("store"),
    "a mixture": lambda s: s.clear() or s.update(mixed=["a", "b"]),
}


@pytest.mark.parametrize("change", HOSTILE.values(), ids=HOSTILE)
def test_what_no_cache_says_is_not_built(change, recorded):
    settings = deepcopy(recorded)
    change(settings)
    with pytest.raises(ForbiddenTarget, match=r"^preprocessing\."):
        pipeline_settings(of(settings))
