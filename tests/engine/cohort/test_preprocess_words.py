"""Recorded settings become the words of the command that gives them again."""

import shlex

import pytest
from hydra import compose, initialize_config_dir

from engine.cohort.face_pipeline import PARTS
from engine.cohort.preprocess_words import preprocess_words
from engine.config.compose import plain_config, root_keys
from engine.config.source_code import ROOT
from preprocessing.cache.fingerprint import plain_settings


def settings(*words):
    with initialize_config_dir(str(ROOT / "conf"), version_base="1.3"):
        composed = compose("preprocess", ["input=x", "output=y", "paths.output=z", *words])
        config = plain_config(composed, keys=root_keys("preprocess"))
    return plain_settings({name: config[name] for name in PARTS})


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["aligner.size=160", "aligner.oval=true", "few_usable=0.25"],
        ["face=torch", "face.max_faces=2", "store=raw"],
        ["store.crf=23", "quality.luminance=[0.2,0.9]", "quality.max_yaw=30"],
    ],
)
def test_the_words_compose_to_what_was_recorded(words):
    found = shlex.split(" ".join(preprocess_words(settings(*words))))
    assert sorted(found) == sorted(words)
    assert settings(*found) == settings(*words)


def test_what_this_checkout_does_not_have_is_left_out():
    odd = settings() | {"face": {"_target_": "mine.Faces", "depth": 3}, "aligner": {"$(rm x)": 1}, "new": 2}
    assert preprocess_words(odd) == []
    assert preprocess_words(settings() | {"few_usable": "$(touch x)"}) == ["'few_usable=\"$(touch x)\"'"]
