"""`encode.py`: videos to stored tokens, which predict what the frozen trunk predicts; what is refused."""

import json
import shutil
from dataclasses import replace
from itertools import count

import numpy as np
import pandas as pd
import pytest
import timm
import torch
from hydra import compose, initialize_config_dir
from hydra.errors import ConfigCompositionException
from safetensors.torch import load_file, save_file
from torch.nn import functional

from datamodules.feature_leakage.channels import LeakageError
from datamodules.manifests.manifest import ManifestError, read_manifest
from datamodules.splits.partition import Split
from engine.checkpoints.checkpoint import load_checkpoint
from engine.cohort.network_needs import check_content
from engine.cohort.restored_data import own_manifest
from engine.cohort.same_preprocessing import check_preprocessing
from engine.config.build import build
from engine.config.compose import ConfigError, plain_config, root_keys
from engine.config.source_code import ROOT
from engine.config.unknown_keys import composition_advice
from engine.encode import encode
from engine.encoding.seen import check_encoder
from engine.inference.clip_predictions import part_of, predict_clips, prediction_trainer, rebuild
from engine.inference.trained_network import load_network
from engine.training.fit import fit_split
from engine.training.prepare import material
from models.inputs import Tokens
from models.mpdrm.branches import MDFN
from models.trunks.encoded import EncodedTrunk
from preprocessing.cache.entry import Entry
from preprocessing.cache.folder import Cache, CacheError
from tests.face_cache import write_cache, write_rows

GRID = {"length": 8, "stride": 2, "hop": 3}
WINDOWS = ["grid.stride=2", "grid.hop=3", "precision=float32"]
WITHOUT_RUN = [
    "data.module.source.video.height=32",
    "data.module.source.video.width=32",
    "model/trunk=pixels",
    "+model/mmp=none",
    "width=16",
]


@pytest.fixture
def command(tmp_path):
    """Run the command with these words."""

    runs = count()

    def run(*words, output="store"):
        folder = tmp_path / "logs" / str(next(runs))
        with initialize_config_dir(str(ROOT / "conf"), version_base="1.3"):
            places = [f"output={tmp_path / output}", f"paths.output={folder}"]
            config = compose("encode", [*WINDOWS, *places, *words])
        return encode(plain_config(config, keys=root_keys("encode")), folder=folder)

    return run


@pytest.fixture
def trained(pixel_run, cohorts):
    """Checkpoint, manifest and split of the small run on pixels."""
    checkpoint = load_checkpoint(pixel_run.best)
    manifest = own_manifest(checkpoint, data=cohorts)
    names = ("name", "train", "val", "test", "subject_disjoint")
    split = Split(**{name: checkpoint.split[name] for name in names})
    return checkpoint, manifest, split


def table_of(manifest):
    return f"data.path={manifest.root / 'manifest.csv'}"


def test_stored_tokens_predict_what_the_frozen_trunk_predicts(command, trained, tmp_path):
    checkpoint, videos, split = trained
    outcome = command(f"ckpt_path={checkpoint.path}", table_of(videos))
    assert outcome.counts == {"ok": len(videos.table)}
    store = read_manifest(tmp_path / "store" / "manifest.csv")
    assert store.synthetic
    assert store.preprocessing is not None
    config = checkpoint.config
    node = config["data"]["module"] | {"num_workers": 0}
    dense = {"_target_": "datamodules.clips.samplers.DenseClips"}
    uncached = build(
        node | {"eval_clips": dense | GRID}, key="data.module", manifest=videos, split=part_of(split, "test")
    )
    tokens = node | {
        "source": {"_target_": "datamodules.clips.tokens.TokenClips"},
        "train_clips": node["train_clips"] | {"length": 1},
        "eval_clips": dense | dict.fromkeys(GRID, 1),
        **{"augment": None, "normalize": None},
    }
    cached = build(tokens, key="data.module", manifest=store, split=part_of(split, "test"))
    task = rebuild(checkpoint)
    trainer = prediction_trainer({"trainer": {"_target_": "pytorch_lightning.Trainer", "accelerator": "cpu"}})
    first = predict_clips(trainer, task, uncached).table
    task.network.depression = MDFN(
        trunk=EncodedTrunk(channels=task.network.depression.dim), input=Tokens()
    ).eval()
    second = predict_clips(trainer, task, cached).table
    assert len(first) == len(second) > 2 * len(split.test)
    pd.testing.assert_frame_equal(first.drop(columns="row"), second.drop(columns="row"), rtol=0, atol=1e-5)


@pytest.mark.parametrize(("precision", "apart"), [("float16", 1e-3), ("bfloat16", 8e-3)])
def test_half_precision_is_off_by_its_last_digit(command, trained, tmp_path, precision, apart):
    _, videos, _ = trained
    command(*WITHOUT_RUN, table_of(videos), output="whole")
    command(*WITHOUT_RUN, table_of(videos), f"precision={precision}", output="half")
    for row in read_manifest(tmp_path / "half" / "manifest.csv").recordings()[:3]:
        whole = np.load(tmp_path / "whole" / "tokens" / row.tokens_path.name)
        half = np.load(row.tokens_path)
        values = (half.astype(np.uint32) << 16).view(np.float32) if precision == "bfloat16" else half
        np.testing.assert_allclose(values, whole, rtol=apart, atol=apart * np.abs(whole).max())
        assert not np.array_equal(values, whole)


def test_a_stopped_command_goes_on_and_a_damaged_file_is_made_again(command, trained, tmp_path):
    _, videos, _ = trained
    words = (*WITHOUT_RUN, table_of(videos))
    command(*words)
    files = sorted((tmp_path / "store" / "tokens").glob("*.npy"))
    kept = {file: file.read_bytes() for file in files}
    files[0].unlink()
    files[1].write_bytes(kept[files[1]][:-8])
    files[2].write_bytes(kept[files[2]][:-8] + b"\0" * 8)
    times = {file: file.stat().st_mtime_ns for file in files[3:]}
    outcome = command(*words)
    assert outcome.earlier == len(files) - 3
    assert {file: file.read_bytes() for file in files} == kept
    assert {file: file.stat().st_mtime_ns for file in files[3:]} == times
    assert not list((tmp_path / "store").rglob(".*"))


@pytest.mark.parametrize("damage", [None, "{"])
def test_a_store_that_lost_its_record_is_gone_on_with_by_its_command(command, trained, tmp_path, damage):
    _, videos, _ = trained
    words = (*WITHOUT_RUN, table_of(videos))
    command(*words)
    record = tmp_path / "store" / "preprocessing.json"
    kept = record.read_bytes()
    if damage is not None:
        record.write_text(damage)
        for ask in (lambda: command(*words), lambda: read_manifest(tmp_path / "store" / "manifest.csv")):
            with pytest.raises(
                ValueError, match=r"preprocessing\.json: (?s:.*)elete it and give the command"
            ):
                ask()
    record.unlink()
    with pytest.raises(ManifestError, match=r"which encoder made these tokens.*encode\.py once more"):
        read_manifest(tmp_path / "store" / "manifest.csv")
    assert command(*words).earlier == len(videos.table)
    assert record.read_bytes() == kept


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["grid.hop=4"], "grid.hop: 3 there, 4 here"),
        (["seed=1"], "weights: "),
        (["precision=float16"], "precision: float32 there, float16 here"),
        (["+data.module.normalize.mean=[0.5,0.5,0.5]"], "normalize.mean"),
    ],
)
def test_a_store_of_another_encoder_is_refused(command, trained, words, named):
    _, videos, _ = trained
    base = (*WITHOUT_RUN, table_of(videos))
    command(*base)
    with pytest.raises(CacheError, match=named):
        command(*base, *words)


def test_a_video_that_cannot_be_read_is_a_row_with_its_reason(command, trained, tmp_path):
    _, videos, _ = trained
    folder = tmp_path / "videos"
    shutil.copytree(videos.root, folder)
    first = read_manifest(folder / "manifest.csv").recordings()[0]
    first.path.write_bytes(b"no video")
    outcome = command(*WITHOUT_RUN, f"data.path={folder / 'manifest.csv'}")
    assert outcome.counts["refused"] == 1
    refused = pd.read_csv(tmp_path / "store" / "refused.csv")
    assert refused["recording_id"].tolist() == [first.recording_id]
    assert (
        first.recording_id
        not in read_manifest(tmp_path / "store" / "manifest.csv").table["recording_id"].tolist()
    )


def test_persons_that_the_encoder_was_trained_on_are_not_judged(command, trained, tmp_path):
    checkpoint, videos, split = trained
    command(f"ckpt_path={checkpoint.path}", table_of(videos))
    store = read_manifest(tmp_path / "store" / "manifest.csv")
    check_encoder(store, [split])  # trained and selected on the very same parts
    swapped = replace(split, name="swapped", train=split.test, test=split.train)
    with pytest.raises(LeakageError, match="swapped: the encoder of store was trained or selected"):
        check_encoder(store, [swapped])
    # other ids, as of a table that joins several, are those of the same files
    ids = {name: f"one/{name}" for name in store.table["recording_id"]}
    renamed = replace(store, table=store.table.assign(recording_id=store.table["recording_id"].map(ids)))
    parts = {part: tuple(map(ids.get, getattr(swapped, part))) for part in ("train", "val", "test")}
    with pytest.raises(LeakageError, match="judged here: one/"):
        check_encoder(renamed, [replace(swapped, **parts)])
    (tmp_path / "store" / "encoder_seen.json").unlink()
    with pytest.raises(LeakageError, match=r"encoder_seen\.json: is missing.*command of encode\.py"):
        check_encoder(store, [split])


def test_a_network_that_takes_a_store_to_have_other_places_is_refused(
    command, trained, tmp_path, compose_run
):
    _, videos, _ = trained
    command(*WITHOUT_RUN, table_of(videos))
    words = ["data=features", f"data.path={tmp_path / 'store' / 'manifest.csv'}", "model=mpdrm_tokens"]
    store = read_manifest(tmp_path / "store" / "manifest.csv")
    for places in (1, 8, 32):
        config = compose_run(*words, "data.channels=16", f"data.places={places}")
        with pytest.raises(ConfigError, match=r"has 16 tokens of one step.*write data\.places=16"):
            check_content(store, config)
    check_content(store, compose_run(*words, "data.channels=16", "data.places=16"))


def test_weights_without_a_run_have_met_nobody(command, trained, tmp_path):
    _, videos, split = trained
    command(*WITHOUT_RUN, table_of(videos))
    check_encoder(
        read_manifest(tmp_path / "store" / "manifest.csv"),
        [replace(split, train=split.test, test=split.train)],
    )


def test_series_are_nothing_that_a_trunk_of_pixels_can_encode(command, trained, tmp_path):
    _, videos, _ = trained
    table = videos.table.assign(
        path="", series_path=[str(videos.root / one) for one in videos.table["series_path"]]
    )
    table.drop(columns="landmark_path").to_csv(tmp_path / "series.csv", index=False)
    with pytest.raises(ConfigError, match="no recording has a video"):
        command(*WITHOUT_RUN, f"data.path={tmp_path / 'series.csv'}")


def test_a_checkpoint_of_tokens_takes_no_store_of_another_encoder_and_no_videos(command, trained, tmp_path):
    checkpoint, videos, _ = trained
    command(*WITHOUT_RUN, table_of(videos))
    command(*WITHOUT_RUN, table_of(videos), "seed=1", output="other")
    store, other = (read_manifest(tmp_path / name / "manifest.csv") for name in ("store", "other"))
    of_tokens = replace(checkpoint, preprocessing=store.preprocessing)
    assert check_preprocessing(of_tokens, store, accepted=False) == ()
    with pytest.raises(ConfigError, match=r"settings.weights: (?s:.*)Encode these recordings as there"):
        check_preprocessing(of_tokens, other, accepted=False)
    with pytest.raises(ConfigError, match=r"is no store of encode.py(?s:.*)python encode.py"):
        check_preprocessing(of_tokens, videos, accepted=False)
    with pytest.raises(ConfigError, match=r"is a store of tokens.*data=features"):
        check_preprocessing(replace(checkpoint, preprocessing=None), store, accepted=False)
    source = {"_target_": "datamodules.clips.tokens.TokenClips"}
    with pytest.raises(ConfigError, match="no recording has tokens, which this network reads: encode"):
        check_content(videos, {"data": {"module": {"source": source}}})


def test_a_training_reads_a_store_and_no_video_and_says_what_it_lacks(
    command, trained, tmp_path, compose_run, monkeypatch, caplog
):
    caplog.set_level("INFO")
    _, videos, _ = trained
    command(*WITHOUT_RUN, table_of(videos))
    words = ["data=features", f"data.path={tmp_path / 'store' / 'manifest.csv'}", "model=mpdrm_tokens"]
    small = ["width=8", "trainer.max_epochs=2", "protocol.val=0.3", "data.module.num_workers=0"]
    run = compose_run(*words, "data.channels=16", "data.places=16", *small)
    monkeypatch.setattr("av.open", None)  # no video is read any more
    fitted = fit_split(run, *material(run), folder=tmp_path / "training")
    assert "its windows (8 frames, 2 apart, every 3 frames), pixels are gone, and so nothing" in caplog.text
    assert load_checkpoint(fitted.best).preprocessing.settings["grid"]["hop"] == 3
    network = load_network(fitted.best)
    assert (network.reads, network.shape) == ("tokens", (1, 16))
    batch = {"tokens": torch.randn(2, 32, 16).half(), "mask": torch.ones(2, 32, dtype=torch.bool)}
    assert network(batch)["binary"].isfinite().all()
    with pytest.raises(ValueError, match=r"Give 'tokens' \(B, N, 16\) of its encoder"):
        network(batch | {"tokens": torch.randn(2, 32, 17)})
    other = compose_run(*words, "data.channels=17", "data.places=16", *small)
    with pytest.raises(ValueError, match=r"tokens of width 16 a window.*data.channels=16"):
        fit_split(other, *material(other), folder=tmp_path / "another")


@pytest.fixture
def weights(tmp_path):
    """Overrides of a small timm network with a file of weights, which was normalized in its own way."""
    torch.manual_seed(3)
    save_file(timm.create_model("resnet10t").state_dict(), tmp_path / "tiny.safetensors")
    config = {"architecture": "resnet10t", "pretrained_cfg": {"mean": [0.5] * 3, "std": [0.25] * 3}}
    (tmp_path / "config.json").write_text(json.dumps(config | {"license": "mit"}))
    trunk = "model.network.depression.trunk"
    return [
        f"{trunk}.backbone=resnet10t",
        f"{trunk}.weights={tmp_path / 'tiny.safetensors'}",
        *WITHOUT_RUN[:2],
    ]


COLORS = [
    f"data.module.normalize.{name}=[{value},{value},{value}]"
    for name, value in (("mean", 0.5), ("std", 0.25))
]


def test_by_default_a_store_holds_the_maps_of_the_weights_and_nothing_random(
    command, trained, weights, tmp_path, caplog
):
    _, videos, _ = trained
    caplog.set_level("INFO")
    command(*weights, *COLORS, table_of(videos), "seed=1")
    row = read_manifest(tmp_path / "store" / "manifest.csv").recordings()[0]
    encoder = timm.create_model("resnet10t", features_only=True, out_indices=(-2, -1)).eval()
    encoder.load_state_dict(load_file(tmp_path / "tiny.safetensors"), strict=False)
    config = load_checkpoint(trained[0].path).config["data"]["module"]["source"]
    source = build(config, key="source").prepared(videos.recordings())
    frames = source.clip(
        next(one for one in videos.recordings() if one.recording_id == row.recording_id), [0]
    )
    with torch.no_grad():
        maps = encoder((frames["frames"].float() / 255 - 0.5) / 0.25)
    expected = torch.cat([functional.adaptive_avg_pool2d(one, 4) for one in maps], 1)[0].flatten(1).T
    np.testing.assert_allclose(np.load(row.tokens_path)[0, :16], expected, atol=1e-4)
    assert "at random" not in caplog.text
    assert "data.channels=768 data.places=16 model=mpdrm_tokens" in caplog.text
    command(*weights, *COLORS, table_of(videos), "width=8", output="mapped")
    assert "width=8: what the encoder says is mapped to this width at random" in caplog.text


def test_a_trunk_without_a_readout_is_encoded_by_its_checkpoint(command):
    with pytest.raises(ConfigCompositionException) as error:
        command("model/trunk=mdn", "data.path=x.csv")
    assert "encoded as it was trained, by ckpt_path" in composition_advice(error.value, command="encode")


def test_weights_with_their_license_stay_with_the_store(command, trained, weights, tmp_path):
    _, videos, _ = trained
    command(*weights, *COLORS, table_of(videos))
    store = read_manifest(tmp_path / "store" / "manifest.csv")
    (taken,) = store.preprocessing.provenance["weights"].values()
    assert (taken["source"], taken["name"], taken["license"]) == ("file", "tiny.safetensors", "mit")
    record = json.loads(next((tmp_path / "logs").rglob("manifest.json")).read_text())
    assert list(record["pretrained"].values()) == [taken]


def test_colors_that_weights_have_not_seen_stop_before_a_recording_is_read(command, weights, tmp_path):
    with pytest.raises(ConfigError, match=r"trained with a mean of \[0\.5, 0\.5, 0\.5\]"):
        command(*weights, f"data.path={tmp_path / 'there_is_none.csv'}")


def test_a_face_that_is_hardly_seen_is_refused_with_the_words_of_training(command, tmp_path, caplog):
    table = write_cache(tmp_path / "faces", persons=2, visits=1, size=32)
    seen = np.arange(40) < 4
    write_rows(tmp_path / "faces" / "series" / "p01_v0.parquet", seen, np.zeros((40, 3)))
    outcome = command("data=faces", f"data.path={table}", *WITHOUT_RUN)
    assert outcome.counts == {"ok": 1, "refused": 1}
    refused = pd.read_csv(tmp_path / "store" / "refused.csv")
    assert refused["recording_id"].tolist() == ["p01_v0"]
    reason = "fewer than the 20 measurements that are needed: 4 of 40 frames hold a measurement"
    assert refused["reason"].tolist() == [reason]
    assert "the encoder has random weights, as it is given none" in caplog.text


def test_a_mask_that_was_edited_is_a_row_with_its_reason_until_it_is_made_again(command, tmp_path):
    table = write_cache(tmp_path / "faces", persons=2, visits=1, size=32)
    series = tmp_path / "faces" / "series" / "p01_v0.parquet"
    cache = Cache(tmp_path / "faces", "f")
    (tmp_path / "faces" / "entries").mkdir()
    files = {"series": cache.described(series)}
    cache.put(Entry(recording_id="p01_v0", fingerprint="f", source={}, files=files))
    made = series.read_bytes()
    write_rows(series, np.arange(40) < 30, np.zeros((40, 3)))
    words = ("data=faces", f"data.path={table}", *WITHOUT_RUN)
    assert command(*words).counts == {"ok": 1, "refused": 1}
    refused = pd.read_csv(tmp_path / "store" / "refused.csv")
    assert refused["recording_id"].tolist() == ["p01_v0"]
    assert f"{series}: changed since preprocess.py made it" in refused["reason"].item()
    series.write_bytes(made)
    assert command(*words).counts == {"ok": 2}
