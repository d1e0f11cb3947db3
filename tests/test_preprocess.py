"""`preprocess.py`: a folder of videos with labels to a cache that trains, and errors in one message."""

import dataclasses
import importlib
import inspect
import json
import logging
import shutil

import pandas as pd
import pytest
from hydra import compose, initialize_config_dir

from datamodules.manifests.manifest import read_manifest
from engine.config.compose import ConfigError, plain_config, root_keys
from engine.config.source_code import ROOT
from engine.config.targets import check_targets
from engine.preprocess import preprocess
from preprocessing.cache.folder import CacheError
from preprocessing.run.pipeline import Pipeline
from studies.preprocess_kills.videos import write_videos

GROUPS = ("face", "store", "executor")  # of no other command


@pytest.fixture(scope="module")
def videos(tmp_path_factory):
    """Three videos of drawn persons, one without a person, and one that is no video."""
    folder = tmp_path_factory.mktemp("input")
    write_videos(folder, 3)
    lines = [
        "file,subject,scale,score,item_1,site",
        "person 0.mp4,p0,BDI-II,4,1,north",
        "person 2.mp4,p2,BDI-II,30,3,south",
    ]
    (folder / "labels.csv").write_text(
        "\n".join([*lines, "person 1.mp4,p1,BDI-II,20,2,north", "notes.mp4,p3,BDI-II,9,1,south"])
    )
    return folder


@pytest.fixture
def command(tmp_path):
    """Run the command with these words."""

    def run(*words, folder="run"):
        with initialize_config_dir(str(ROOT / "conf"), version_base="1.3"):
            output = f"paths.output={tmp_path / folder}"
            config = compose("preprocess", ["executor.workers=1", *words, output])
        plain = plain_config(config, keys=root_keys("preprocess"))
        return preprocess(plain, folder=tmp_path / folder)

    return run


def test_a_folder_becomes_a_cache_and_is_gone_on_with(face_models, videos, command, tmp_path, caplog):
    words = f"input={videos}", f"output={tmp_path / 'cache'}"
    with caplog.at_level(logging.INFO):
        outcome = command(*words)
    assert outcome.counts == {"ok": 2, "refused": 2}
    manifest = read_manifest(tmp_path / "cache" / "manifest.csv")
    assert manifest.table["recording_id"].tolist() == ["person 0", "person 2"]
    assert manifest.table["subject_id"].tolist() == ["p0", "p2"]
    assert manifest.table[["score", "binary", "item_1"]].to_numpy().tolist() == [[4, 0, 1], [30, 1, 3]]
    assert manifest.table["site"].tolist() == ["north", "south"]
    assert (manifest.table["fps"].tolist(), manifest.table["n_frames"].tolist()) == ([25, 25], [26, 44])
    assert manifest.table["usable"].min() > 0.9
    assert not [text for text in caplog.messages if "nothing reads" in text]
    refused = pd.read_csv(tmp_path / "cache" / "refused.csv").set_index("recording_id")["reason"]
    assert refused["person 1"] == "no face in any of its 35 frames"
    assert "it is text" in refused["notes"]
    assert (tmp_path / "cache" / "faces.html").stat().st_size > 5000
    (ended,) = [text for text in caplog.messages if text.startswith("preprocessing is finished")]
    told = dict(line.split(maxsplit=1) for line in ended.splitlines()[1:-1])
    assert told["result"] == "recordings: 2 ok, 0 with warnings, 2 refused"
    record = json.loads((tmp_path / "run" / "manifest.json").read_text())
    assert (record["status"], record["counts"]) == ("finished", {"ok": 2, "refused": 2})

    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "cache" / "clips").iterdir()}
    other = tmp_path / "corrected"
    shutil.copytree(videos, other, copy_function=shutil.copy2)
    (other / "labels.csv").write_text((videos / "labels.csv").read_text().replace("BDI-II,4,", "BDI-II,17,"))
    again = command(f"input={other}", words[1], folder="again")
    assert again.earlier == 4
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "cache" / "clips").iterdir()} == before
    assert read_manifest(tmp_path / "cache" / "manifest.csv").table["score"].tolist() == [17, 30]
    with pytest.raises(CacheError, match=r"aligner\.size: 224 there, 128 here.*output="):
        command(*words, "aligner.size=128", folder="other")


@pytest.mark.slow
def test_where_nothing_can_be_used_the_command_fails(face_models, videos, command, tmp_path):
    with pytest.raises(
        ConfigError, match=r"none of 1 recordings can be used, see .*refused\.csv\n.*it is text"
    ):
        command(f"input={videos / 'notes.mp4'}", f"output={tmp_path / 'cache'}")
    assert json.loads((tmp_path / "run" / "manifest.json").read_text())["status"].startswith("failed")


def test_places_and_parts_that_do_not_fit_are_refused(face_models, videos, command, tmp_path):
    with pytest.raises(ConfigError, match=r"output=.*lies in the input"):
        command(f"input={videos}", f"output={videos / 'faces'}")
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "preprocessing.json").write_text("{}")
    with pytest.raises(ConfigError, match="cut out already"):
        command(f"input={tmp_path / 'cache'}", f"output={tmp_path / 'more'}")
    for shard in ("0/2", "3/2", "2", "a/b", "1/0"):
        with pytest.raises(ConfigError, match="as in shard=2/8"):
            command(
                f"input={videos}",
                f"output={tmp_path / 'c'}",
                f"shard={shard}",
                folder=shard.replace("/", "_"),
            )
    with pytest.raises(ConfigError, match="input has no value"):
        command(f"output={tmp_path / 'c'}")


def test_precomputed_faces_without_any_table_stop_at_once_and_name_the_column(videos, command, tmp_path):
    with pytest.raises(ConfigError, match=r"none of 4 recordings has one.*'landmark_path'"):
        command(f"input={videos}", f"output={tmp_path / 'cache'}", "face=precomputed")
    assert not (tmp_path / "cache").exists()


def test_parts_of_an_input_share_nothing_and_miss_nothing():
    from engine.preprocess import _shard
    from tests.preprocessing.run.made_entries import job

    jobs = [job(str(number), __file__) for number in range(11)]
    parts = [_shard(jobs, f"{part}/4") for part in range(1, 5)]
    assert sorted(int(one.recording_id) for part in parts for one in part) == list(range(11))
    assert max(map(len, parts)) - min(map(len, parts)) <= 1


@pytest.mark.parametrize(
    "choice",
    sorted(f"{group}={leaf.stem}" for group in GROUPS for leaf in (ROOT / "conf" / group).glob("*.yaml")),
)
def test_every_choice_composes_and_its_values_are_those_of_the_classes(choice):
    with initialize_config_dir(str(ROOT / "conf"), version_base="1.3"):
        words = ["input=x", "output=y", "paths.output=z", choice]
        config = plain_config(compose("preprocess", words), keys=root_keys("preprocess"))
    check_targets(config)
    for name in ("face", "aligner", "quality", "store", "executor"):
        node = dict(config[name])
        module, _, cls = node.pop("_target_").rpartition(".")
        known = inspect.signature(getattr(importlib.import_module(module), cls)).parameters
        defaults = {key: one.default for key, one in known.items()}
        assert node == {key: list(one) if isinstance(one, tuple) else one for key, one in defaults.items()}
    assert {key: config[key] for key in ("least_usable", "few_usable")} == {
        field.name: field.default for field in dataclasses.fields(Pipeline) if field.name.endswith("usable")
    }
