import hashlib
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from datamodules.feature_leakage.channels import LeakageError
from datamodules.manifests.manifest import ManifestError, manifest_from_table, read_manifest
from datamodules.series import read_series
from datamodules.split_leakage.file_content import content_of
from datamodules.split_leakage.fingerprint import Fingerprint
from datamodules.split_leakage.near_duplicates import Pair, alike, duplicates, similarity
from datamodules.synthetic.video import write_video
from engine.cohort.splits import checked_splits
from tests.face_cache import patches

GIVEN = {"protocol": {"_target_": "datamodules.splits.protocols.Given"}, "train_filter": None}
PARTS = ["train", "train", "val", "val", "test", "test"]


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def planted(cohort):
    """The cohort with one file of a training person put under a tested one, changed by a function."""

    def plant(change, suffix=".npz"):
        path = cohort(6, 1, frames=100)
        source, target = path.parent / "p00_v0.npz", path.parent / f"p05_v0{suffix}"
        change(source, target)
        table = pd.read_csv(path, dtype=str, keep_default_na=False).assign(split=PARTS)
        table.loc[5, "series_path"] = target.name
        table.to_csv(path, index=False)
        return read_manifest(path)

    return plant


def saved(change):
    def plant(source, target):
        content = dict(np.load(source))
        values = change(content["values"])
        np.savez_compressed(target, **content | {"values": values, "valid": np.ones(len(values), dtype=bool)})

    return plant


def noisy(values):
    return values + 0.01 * values.std(0) * np.random.default_rng(1).normal(size=values.shape)


def one_value(values):
    values[10, 0] += 1e-4
    return values


def spiky(values):
    values[40, 0] = 1e6
    return values


def some_channels(source, target):
    content = dict(np.load(source))
    np.savez(target, **content | {"values": content["values"][:, 1:], "channels": content["channels"][1:]})


def with_marks(source, target):
    """A column that marks rows is refused, but a run that names its channels reads the others."""
    series = read_series(source, channels=None)
    table = pd.DataFrame(series.values, columns=series.channels).assign(is_valid=1)
    table.insert(0, "timestamp", np.arange(len(table)) / 25)
    table.to_csv(target, index=False)


def with_labels(source, target):
    content = dict(np.load(source))
    values = np.column_stack([content["values"], np.linspace(3, 9, len(content["values"])) % 1])
    np.savez(target, **content | {"values": values, "channels": [*content["channels"], "score"]})


def as_csv(source, target):
    series = read_series(source, channels=None)
    table = pd.DataFrame(series.values, columns=series.channels)
    table.insert(0, "timestamp", np.arange(len(table)) / 25)
    table[["timestamp", *series.channels[::-1]]].to_csv(target, index=False)


@pytest.mark.parametrize(
    ("change", "suffix"),
    [
        (saved(lambda values: values), ".npz"),
        (saved(one_value), ".npz"),
        (saved(noisy), ".npz"),
        (saved(lambda values: noisy(values)[25:]), ".npz"),
        (saved(lambda values: values[:-25]), ".npz"),
        (saved(lambda values: values[50:]), ".npz"),
        (saved(lambda values: 1000 * values + 3), ".npz"),
        (saved(spiky), ".npz"),
        (some_channels, ".npz"),
        (with_marks, ".csv"),
        (with_labels, ".npz"),
        (as_csv, ".csv"),
    ],
    ids=[
        *("again", "4th decimal", "noise", "noise and a second cut off", "end cut off", "half cut off"),
        *("units", "spike", "some channels", "refused column", "label among the channels", "csv"),
    ],
)
def test_a_training_series_saved_again_as_a_tested_one_stops_the_run(change, suffix, planted):
    manifest = planted(change, suffix)
    with pytest.raises(LeakageError, match=r"same content in two parts: p00_v0 \(train\) = p05_v0 \(test\)"):
        checked_splits(GIVEN, manifest)


def test_visits_of_one_person_with_the_same_habits_are_no_pair(cohort):
    manifest = read_manifest(cohort(8, 3, frames=100))
    assert duplicates(manifest) == []


@pytest.mark.parametrize(
    "made_up",
    [
        list("abcdef"),
        [hashlib.sha256(sign.encode()).hexdigest() for sign in "abcdef"],
        [hashlib.md5(sign.encode()).hexdigest() for sign in "abcdef"],
        list("123456"),
        [hashlib.sha256(b"").hexdigest()] + [""] * 5,
    ],
    ids=["letters", "of something else", "another digest", "numbers", "one"],
)
def test_a_content_hash_made_up_by_hand_is_not_believed(cohort, made_up):
    path = cohort(6, 1)
    table = pd.read_csv(path, dtype=str, keep_default_na=False)
    table.assign(split=PARTS, content_hash=made_up).to_csv(path, index=False)
    with pytest.raises(ManifestError, match=r"'content_hash' of p00_v0.*drop the column"):
        checked_splits(GIVEN, read_manifest(path))


@pytest.mark.parametrize(
    "left",
    [
        lambda table: table.drop(columns=["scale", "score"]),
        lambda table: table.assign(score=""),
        lambda table: table.assign(scale="", score=""),
        lambda table: table.drop(columns=["scale", "score"]).assign(binary=""),
        lambda table: table.drop(columns=["scale", "score"]).assign(openness=0.5),
        lambda table: table.drop(columns=["scale", "score"]).assign(age=30, sex="f"),
    ],
    ids=["no columns", "empty scores", "nothing of a scale", "empty classes", "a trait", "age and sex"],
)
def test_a_table_without_any_label_says_so(left, cohort):
    path = cohort(6, 1)
    table = pd.read_csv(path, dtype=str, keep_default_na=False).assign(split=PARTS)
    left(table).to_csv(path, index=False)
    with pytest.raises(ValueError, match="no recording has a label; fill 'score'"):
        checked_splits(GIVEN, read_manifest(path))


def test_one_visit_under_two_spellings_never_reaches_a_split(cohort):
    path = cohort(3, 2)
    table = pd.read_csv(path, dtype=str, keep_default_na=False)
    table.assign(session_id=["V1", "v01"] * 3, split=PARTS).to_csv(path, index=False)
    with pytest.raises(ManifestError, match="two visits of 'V1' and 'v01' of person 'p00'"):
        read_manifest(path)


@pytest.mark.parametrize("change", [lambda values: values[:12], np.ones_like], ids=["short", "constant"])
def test_what_cannot_be_compared_is_named_and_stops_nothing(change, planted, caplog):
    manifest = planted(saved(change))
    assert checked_splits(GIVEN, manifest)
    assert "1 recording(s) have a file that was compared with others by its bytes only" in caplog.text
    assert "e.g. p05_v0:" in caplog.text


def test_nothing_is_said_of_files_that_were_compared(cohort, caplog):
    assert duplicates(read_manifest(cohort(6, 1, frames=100))) == []
    assert "bytes only" not in caplog.text


def test_tokens_are_compared_by_their_bytes_and_nobody_is_warned(tmp_path, caplog):
    caplog.set_level("INFO", "datamodules.split_leakage")
    for name, value in (("a", 1), ("b", 2), ("c", 1)):
        np.save(tmp_path / f"{name}.npy", np.full((3, 8, 4), value, np.float16))
    rows = [
        {"recording_id": one, "subject_id": one, "session_id": "1", "path": "", "tokens_path": f"{one}.npy"}
        for one in "abc"
    ]
    table = pd.DataFrame(rows).assign(binary=[0, 1, 0])
    manifest = manifest_from_table(table, root=tmp_path, name="store", probe=False)
    assert duplicates(manifest) == [Pair("a", "c", "the same file")]
    assert [one.levelname for one in caplog.records] == ["INFO"]
    assert "3 recording(s) have tokens" in caplog.text


def test_all_pairs_at_once_find_what_two_alone_find():
    rng = np.random.default_rng(0)
    steps = [rng.integers(-60, 60, (length, 4)).astype(np.int8) for length in (40, 60, 80, 100)]
    shown = [Fingerprint(one, tuple("abcd")) for one in (*steps, steps[2][33:], steps[3][:70])]
    shown.append(Fingerprint(steps[0][:, [3, 1]], ("d", "b")))  # two channels, in another order
    shown.append(Fingerprint(steps[1], tuple("wxyz")))  # equal numbers of other channels
    shown.append(
        Fingerprint(np.where([True, False, True, False], steps[1], 0).astype(np.int8), tuple("abcd"))
    )
    numbers = range(len(shown))
    expected = {(i, j) for i in numbers for j in numbers if i < j and similarity(shown[i], shown[j])}
    assert {(i, j) for i, j, _ in alike(shown)} == expected == {(2, 4), (3, 5), (0, 6), (1, 8)}
    assert {(j, i) for i, j, _ in alike(shown[4:], shown[:4])} == {(2, 0), (3, 1), (0, 2), (1, 4)}


def test_one_channel_that_all_share_makes_no_pair():
    rng = np.random.default_rng(0)
    stimulus = rng.integers(-60, 60, 100)
    shown = []
    for _ in range(4):
        steps = rng.integers(-60, 60, (100, 4))
        steps[:, 0] = stimulus
        shown.append(Fingerprint(steps.astype(np.int8), tuple("abcd")))
    assert alike(shown) == []
    assert alike([shown[0]], [replace(shown[1], names=("a", "x", "y", "z"))]) == []


def test_gaps_without_a_face_make_no_pair_and_hide_none(tmp_path):
    rng = np.random.default_rng(0)
    pictures = [patches(rng, 150, 64) for _ in range(3)]
    for number, own in enumerate(pictures):
        own[40 + 20 * number : 65 + 20 * number] = 0  # a second of black, in each at another time
        write_video(tmp_path / f"{number}.mp4", own, fps=25.0)
    brighter = np.where(pictures[0] > 0, pictures[0] + 20, 0)
    write_video(tmp_path / "copy.mp4", brighter, fps=25.0)
    files = [*(tmp_path / f"{number}.mp4" for number in range(3)), tmp_path / "copy.mp4"]
    found = alike([content_of(file).shown for file in files])
    assert [pair[:2] for pair in found] == [(0, 3)]
