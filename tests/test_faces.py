"""The commands on a cache of `preprocess.py`: training, evaluation and prediction, and what they refuse."""

import json
import shutil

import av
import numpy as np
import pandas as pd
import pytest

from datamodules.manifests.manifest import read_manifest
from datamodules.series.channel_schema import FACE_SERIES
from engine.checkpoints.checkpoint import load_checkpoint
from engine.cohort.network_needs import check_content
from engine.config.compose import ConfigError
from engine.evaluate import evaluate
from engine.predict import predict
from engine.train import train
from engine.training.checks import check_model
from tests.conftest import composed
from tests.face_cache import PROVENANCE, SETTINGS, patches, write_cache, write_record, write_rows

LOST = tuple(range(20, 30))
ASKED = {"num_workers": None, "trainer": None, "evaluation": None, "accept_preprocessing": False}
SMALL = ("debug=fast", "width=16", "data.module.source.video.height=24", "data.module.source.video.width=24")
QUIET = (
    "+trainer.enable_progress_bar=false",
    "logger=none",
    "protocol.val=0.3",
    "evaluation.lines=[statistics]",
)
FILE = "preprocessing.json"


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    """A cache of 16 persons, of whom one was never found again in the second visit."""
    path = write_cache(tmp_path_factory.mktemp("data") / "clinic", persons=16, size=24, lost=LOST)
    nobody = path.parent / "series" / "p15_v1.parquet"
    write_rows(nobody, np.zeros(40, bool), np.zeros((40, 3)))
    (path.parent / "refused.csv").write_text("recording_id,path,reason\np16_v0,p16.mp4,no face\n")
    return path


def trained(path, folder, *overrides):
    config = composed("data=faces", f"data.path={path}", *SMALL, *QUIET, *overrides, output=folder)
    train(config, folder=folder)
    return folder / "checkpoints" / "best.ckpt"


@pytest.fixture(scope="module")
def best(cache, tmp_path_factory):
    """The checkpoint of a run on it, with the number of workers that runs have."""
    return trained(cache, tmp_path_factory.mktemp("faces") / "run")


def test_the_series_of_faces_are_those_that_tell_behavior(tmp_path):
    config = composed("experiment=mpdrm_series", "data=faces_series", "data.path=x.csv", output=tmp_path)
    channels = config["data"]["module"]["source"]["channels"]
    assert (tuple(channels), len(channels)) == (FACE_SERIES, config["data"]["channels"])
    check_model(config)


def test_a_run_and_its_checkpoint_say_how_the_faces_were_made(best, cache):
    own = json.loads((cache.parent / FILE).read_text())
    record = json.loads((best.parents[1] / "manifest.json").read_text())
    assert load_checkpoint(best).preprocessing.plain() == record["preprocessing"] == own
    assert record["data"] == "clinic"
    assert record["config"]["data"]["module"]["num_workers"] == "auto"
    facts = {one["fact"] for one in record["leak_audit"]["found"]}
    assert {"face_size", "blur", "yaw"} & facts


def test_evaluating_the_cache_again_gives_the_same_numbers(best, cache, tmp_path):
    evaluate(ASKED | {"ckpt_path": str(best), "manifest": str(cache)}, folder=tmp_path)
    again, first = (json.loads((f / "metrics.json").read_text()) for f in (tmp_path, best.parents[1]))
    assert again["test"] == first["test"]
    for folder in (tmp_path, best.parents[1]):
        assert "1 of 33 recordings of the input were refused" in (folder / "report.html").read_text()
    assert {"face_size", "yaw", "blur"} <= set(first["reference"]["nuisance"]["columns"])


def test_nobody_is_dropped_without_a_row(best, cache, tmp_path):
    given = cache.parent  # the folder stands for its table
    found = predict(ASKED | {"ckpt_path": str(best), "input": str(given)}, folder=tmp_path)
    assert len(found) == 32
    found = found.set_index("recording_id")
    assert "0 of 40 frames" in found.loc["p15_v1", "unmeasured"]
    assert found["prediction"].notna().sum() == 31


def repainted(cache, folder, frames):
    """A copy of the cache whose first clip is coded frame by frame, with other pixels in some of them."""
    shutil.copytree(cache.parent, folder)
    pictures = patches(np.random.default_rng(1), 40, 24)
    pictures[list(frames)] = 255 - pictures[list(frames)]
    with av.open(str(folder / "clips" / "p00_v0.mkv"), "w") as container:
        stream = container.add_stream("ffv1", rate=25)
        stream.width = stream.height = 24
        stream.pix_fmt = "bgr0"
        for picture in pictures:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))
    table = pd.read_csv(folder / "manifest.csv").iloc[:1]
    table.assign(path="clips/p00_v0.mkv").to_csv(folder / "one.csv", index=False)
    return folder / "one.csv"


def test_pixels_of_frames_that_are_not_used_change_no_prediction(best, cache, tmp_path):
    asked = {"as it is": (), "not used": LOST, "used": (18, 19, 30)}
    found = {
        name: predict(
            ASKED
            | {"ckpt_path": str(best), "input": str(repainted(cache, tmp_path / name / "cache", frames))},
            folder=tmp_path / name / "out",
        )["score_prediction"].item()
        for name, frames in asked.items()
    }
    assert found["not used"] == found["as it is"] != found["used"]


@pytest.fixture
def other(cache, tmp_path):
    """The cache as other settings would have left it, under other ids."""
    shutil.copytree(cache.parent, tmp_path / "other")
    write_record(tmp_path / "other", settings=SETTINGS | {"size": 96})
    return tmp_path / "other" / "manifest.csv"


def test_a_cache_of_other_settings_is_refused_unless_it_is_accepted(best, other, tmp_path):
    given = ASKED | {"ckpt_path": str(best), "manifest": str(other), "input": str(other)}
    for number, command in enumerate((evaluate, predict)):
        with pytest.raises(ConfigError, match=r"settings\.size: 48 there, 96 here(?s:.*)accept_preproc"):
            command(given, folder=tmp_path / f"refused{number}")
    evaluate(given | {"accept_preprocessing": True}, folder=tmp_path / "taken")
    record = json.loads((tmp_path / "taken" / "manifest.json").read_text())
    assert "was accepted" in " ".join(record["notes"])
    assert record["preprocessing"]["settings"]["size"] == 96
    assert "was accepted" in (tmp_path / "taken" / "report.html").read_text()


def test_other_libraries_are_told_and_go_on(best, other, tmp_path, caplog):
    write_record(other.parent, provenance=PROVENANCE | {"libraries": {"av": "19.0.0", "cv2": "5.0.0"}})
    predict(ASKED | {"ckpt_path": str(best), "input": str(other)}, folder=tmp_path / "out")
    assert "libraries.av 18.1.0 there, 19.0.0 here" in caplog.text


def test_a_cache_read_without_its_masks_is_told(cache, caplog):
    source = {"_target_": "datamodules.clips.dataset.PixelClips"}
    check_content(read_manifest(cache), {"data": {"module": {"source": source}}})
    assert "data/clips=faces, or faces_dense, masks them" in caplog.text


def test_regions_of_another_margin_are_refused(cache, tmp_path):
    shutil.copytree(cache.parent, tmp_path / "wide")
    write_record(tmp_path / "wide", settings=SETTINGS | {"aligner": {"margin": 0.4}})
    manifest = read_manifest(tmp_path / "wide" / "manifest.csv")
    source = {"_target_": "datamodules.clips.regions.RegionClips", "margin": 0.25}
    with pytest.raises(ConfigError, match=r"margin of 0\.4, .*source\.margin=0\.4"):
        check_content(manifest, {"data": {"module": {"source": source}}})
    check_content(manifest, {"data": {"module": {"source": source | {"margin": 0.4}}}})


def test_raw_videos_are_refused_with_the_commands_to_run(best, cache, other, tmp_path):
    for name in (FILE, "refused.csv"):
        (other.parent / name).unlink()
    with pytest.raises(
        ConfigError, match=r"(?s)preprocess\.py input=.*manifest\.csv.*eval\.py.*manifest=<cache>"
    ):
        evaluate(ASKED | {"ckpt_path": str(best), "manifest": str(other)}, folder=tmp_path / "eval")
    with pytest.raises(ConfigError, match=r"no cache of preprocess\.py.*\n.*preprocess\.py input="):
        trained(other, tmp_path / "run")
    shutil.copy(cache.parent / FILE, other.parent)
    assert read_manifest(other).preprocessing is not None
