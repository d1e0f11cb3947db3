"""A checkpoint meets recordings of its own preprocessing, of another one, and of none."""

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from datamodules.manifests.manifest import Manifest
from datamodules.manifests.preprocessing import Preprocessing
from engine.checkpoints.checkpoint import load_checkpoint
from engine.cohort.same_preprocessing import check_preprocessing
from engine.config.compose import ConfigError
from tests.face_cache import PROVENANCE, SETTINGS

OWN = Preprocessing(fingerprint="a" * 64, settings=SETTINGS, provenance=PROVENANCE)
VERSIONS = PROVENANCE | {"libraries": {"av": "19.0.0", "cv2": "5.0.0"}}
NETWORKS = PROVENANCE | {"backend": {"name": "made", "models": {"mesh": {"sha256": "1" * 64}}}}


@pytest.fixture
def trained(tiny_checkpoint):
    """A checkpoint that was trained on recordings of a preprocessing, or of none."""

    def make(preprocessing):
        plain = preprocessing and preprocessing.plain()
        return load_checkpoint(tiny_checkpoint(lambda record: record.update(preprocessing=plain)))

    return make


def table(preprocessing):
    given = {"table": pd.DataFrame(), "root": Path(), "truth": None, "preprocessing": preprocessing}
    return Manifest(name="own", file=Path("/data/own.csv"), **given)


def test_the_same_goes_on_without_a_word(trained, caplog):
    for one in (OWN, None):
        assert check_preprocessing(trained(one), table(one), accepted=False) == ()
    assert not caplog.text


def other(**changes):
    return replace(OWN, fingerprint="b" * 64, **changes)


OTHERS = {
    "setting": (OWN, other(settings=SETTINGS | {"size": 96}), "settings.size: 48 there, 96 here"),
    "deep": (OWN, other(settings=SETTINGS | {"backend": {}}), r"backend\.threshold: 0.5 there, None"),
    "network": (OWN, other(provenance=NETWORKS), r"models\.mesh\.sha256: '0{64}' there, '1"),
    "unknown": (OWN, other(), "fingerprint: a{12} there, b{12} here"),
    "raw": (OWN, None, r"preprocess\.py input=/data/own\.csv output=<cache>\n  python eval\.py ckpt_path="),
    "cache": (None, OWN, "was trained on recordings that are not"),
}


@pytest.mark.parametrize("case", OTHERS)
def test_another_one_is_refused_with_what_differs_unless_it_is_accepted(case, trained):
    was, now, said = OTHERS[case]
    with pytest.raises(ConfigError, match=rf"(?s)own\.csv: .*{said}.*accept_preprocessing=true"):
        check_preprocessing(trained(was), table(now), accepted=False)
    (note,) = check_preprocessing(trained(was), table(now), accepted=True)
    assert "accepted (accept_preprocessing)" in note


@pytest.mark.parametrize("digest", ["a", "b"])
def test_other_versions_of_libraries_are_told_and_go_on(digest, trained, caplog):
    newer = replace(OWN, fingerprint=digest * 64, provenance=VERSIONS)
    (note,) = check_preprocessing(trained(OWN), table(newer), accepted=False)
    assert "libraries.av 18.1.0 there, 19.0.0 here" in note
    assert "libraries.av 18.1.0 there, 19.0.0 here" in caplog.text
    other = replace(newer, fingerprint="c" * 64, settings=SETTINGS | {"size": 96})
    with pytest.raises(ConfigError, match="size: 48 there, 96 here") as caught:
        check_preprocessing(trained(OWN), table(other), accepted=False)
    assert "libraries" not in str(caught.value)


@pytest.mark.parametrize("now", [None, other()])
def test_the_line_that_gives_the_settings_of_the_training_is_printed(now, trained):
    was = replace(OWN, settings={"aligner": {"size": 160, "margin": 0.25}, "few_usable": 0.4})
    with pytest.raises(ConfigError) as caught:
        check_preprocessing(trained(was), table(now), accepted=False)
    line = next(line for line in str(caught.value).splitlines() if "python preprocess.py" in line)
    assert line.endswith(" output=<cache> aligner.size=160 few_usable=0.4")
