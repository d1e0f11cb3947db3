"""Every planted defect is what it says, and nothing else of its tree is changed."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from studies.xray.cast import by_person
from studies.xray.layouts import LAYOUTS, grown
from studies.xray.plants import KINDS, PLANTS, STATISTICAL, planted

SEED = 3
IN_THE_CAST = [plant for plant in PLANTS if plant.cast is not None]
_LARGE = ("manifest of OpenFace tables", "manifest of feature sets", "manifest of OpenFace landmarks", "CMDC")


def _marked(plants):
    """The plants as parameters: one of a kind is a default test, and none of a large tree."""
    quick, found = set(), []
    for plant in plants:
        slow = plant.layout.name in _LARGE or plant.kind in quick
        if not slow:
            quick.add(plant.kind)
        found.append(pytest.param(plant, id=plant.what, marks=[pytest.mark.slow] if slow else []))
    return found


ON_DISK = _marked(plant for plant in PLANTS if plant.files is not None)


@pytest.fixture(scope="module")
def clean(tmp_path_factory):
    trees = {}

    def tree_of(layout):
        if layout.name not in trees:
            trees[layout.name] = grown(layout, tmp_path_factory.mktemp("clean") / "tree", SEED)
        return trees[layout.name]

    return tree_of


def _contents(root):
    return {
        path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()
    }


def _table(path):
    return pd.read_csv(path, skipinitialspace=True)


def _plant(what):
    (plant,) = [plant for plant in PLANTS if what in plant.what]
    return plant


def _files(tree, named):
    return [tree.root / name for name in named if (tree.root / name).is_file()]


def test_there_are_thirty_of_all_kinds():
    counts = pd.Series([plant.kind for plant in PLANTS]).value_counts()
    assert len(PLANTS) == 30
    assert len(LAYOUTS) == 10
    assert set(counts.index) == set(KINDS)
    assert counts.min() >= 2
    assert {plant.layout for plant in PLANTS} <= set(LAYOUTS)
    assert len({plant.what for plant in PLANTS}) == len(PLANTS)
    assert all((plant.cast is None) != (plant.files is None) for plant in PLANTS)
    assert all((plant.kind in STATISTICAL) == bool(plant.named) for plant in PLANTS)


@pytest.mark.xdist_group("xray_plants")
@pytest.mark.parametrize("plant", ON_DISK)
def test_a_defect_on_disk_changes_some_of_the_named_files_and_no_other(plant, clean, tmp_path):
    before = clean(plant.layout)
    tree, named = planted(plant, tmp_path / "tree", SEED)
    old, new = _contents(before.root), _contents(tree.root)
    assert old.keys() == new.keys()
    changed = {name for name in old if old[name] != new[name]}
    files = {name for name in named if name in old}
    assert changed
    assert changed <= files
    sources = "there twice" in plant.what or "saved again" in plant.what
    assert len(files - changed) == sources  # what was copied stays
    assert set(named) & set(tree.cast["recording_id"]), "recordings are named as well"
    pd.testing.assert_frame_equal(before.cast, tree.cast)


@pytest.mark.xdist_group("xray_plants")
@pytest.mark.parametrize("plant", _marked(IN_THE_CAST))
def test_a_confound_leaves_the_content_of_other_recordings_alone(plant, clean, tmp_path):
    before = clean(plant.layout)
    tree, _ = planted(plant, tmp_path / "tree", SEED)
    old, new = before.cast, tree.cast
    changed = {name for name in old if not old[name].equals(new[name])}
    allowed = [{"site"}, {"corpus"}, {"task"}, {"label", "score"}, {"seconds"}, {"lost"}, {"wide"}]
    assert changed in [*allowed, {"name", "recording_id", "file"}]
    content = [name for name in ("seconds", "lost", "wide") if name in old]
    alike = (old[content] == new[content]).all(axis=1)
    assert alike.any()
    for first, second in zip(old.loc[alike, "file"], new.loc[alike, "file"], strict=True):
        assert (before.root / first).read_bytes() == (tree.root / second).read_bytes()
    for first, second in zip(old.loc[~alike, "file"], new.loc[~alike, "file"], strict=True):
        assert (before.root / first).read_bytes() != (tree.root / second).read_bytes()
    assert len(_contents(before.root)) == len(_contents(tree.root))


_FACTS = {  # words of the sentence -> what the label is said to go with, as a number a recording
    "hospitals": lambda cast: cast["site"].map(cast.groupby("site")["label"].mean()),
    "two joined studies": lambda cast: cast["corpus"].map(cast.groupby("corpus")["label"].mean()),
    "vlogs, the others interviews": lambda cast: cast["task"] == "vlog",
    "asked to talk": lambda cast: cast["task"] == "conversation",
    "neuroticism": lambda cast: cast["trait_N"],
    "extraversion": lambda cast: -cast["trait_E"] - cast["trait_C"],
    "older": lambda cast: cast["age"],
    "as long": lambda cast: cast["seconds"],
    "double": lambda cast: cast["wide"],
    "lost": lambda cast: cast["lost"],
    "_dep": lambda cast: cast["name"].str.endswith("_dep"),
    "three digits": lambda cast: -cast["name"].astype(int),
    "class by class": lambda cast: -cast["name"].astype(int),
}


def _auc(plant, cast):
    (fact,) = [fact for words, fact in _FACTS.items() if words in plant.what]
    own = by_person(cast.assign(fact=fact(cast).astype(float)))
    return roc_auc_score(own["label"], own["fact"])


@pytest.mark.parametrize("plant", IN_THE_CAST, ids=lambda plant: plant.what)
def test_a_confound_is_as_strong_as_a_careful_person_would_want_to_know(plant):
    with_it, without = [], []
    for seed in range(12):
        rng = np.random.default_rng(seed)
        before = plant.layout.draw(rng)
        with_it.append(_auc(plant, plant.cast(before, rng)))
        without.append(_auc(plant, before))
    most = 1.0 if plant.kind == "file_name" else 0.97
    assert 0.75 <= np.mean(with_it) <= most
    assert min(with_it) > 0.65
    assert np.mean(without) < 0.6  # the best order of three hospitals is above .5 by choice


@pytest.mark.parametrize("what", ["test part has 0 bytes", "embeddings of two pupils have 0 bytes"])
def test_files_of_zero_bytes_are_empty_and_those_of_other_sets_are_not(what, tmp_path):
    tree, named = planted(_plant(what), tmp_path / "tree", SEED)
    empty = {path for path in tree.root.rglob("*") if path.is_file() and not path.stat().st_size}
    assert empty == set(_files(tree, named))
    assert empty
    assert all("Testing" in path.parts or "dinov2" in path.parts for path in empty)


@pytest.mark.slow  # grows three trees
def test_arrays_are_constant_and_a_channel_is_dead_at_one_site_only(tmp_path):
    tree, named = planted(_plant("are 0 throughout"), tmp_path / "zeros", SEED)
    for path in _files(tree, named):
        with np.load(path) as arrays:
            assert not arrays["features"].any()
            assert arrays["valid_mask"].all()
    tree, named = planted(_plant("repeat one row"), tmp_path / "rows", SEED)
    for path in _files(tree, named):
        values = np.load(path)
        assert values.any()
        assert (values == values[0]).all()
        assert len(values) > 10
    tree, _ = planted(_plant("AU12_r is 0"), tmp_path / "dead", SEED)
    alive = {file: _table(tree.root / file)["AU12_r"].any() for file in tree.cast["file"]}
    dead = tree.cast[[not alive[file] for file in tree.cast["file"]]]
    assert dead["site"].nunique() == 1
    assert len(dead) == (tree.cast["site"] == dead["site"].iloc[0]).sum() < len(tree.cast)


def _longest_run(values):
    same = (np.diff(values, axis=0) == 0).all(axis=1)
    ends = np.flatnonzero(np.concatenate([[True], ~same, [True]]))
    return np.diff(ends).max()


def test_trackers_stand_still_for_a_third_of_a_recording_or_more(tmp_path):
    tree, named = planted(_plant("the tracker stands still"), tmp_path / "npz", SEED)
    with np.load(_files(tree, named)[0]) as arrays:
        values = arrays["values"][arrays["valid"]]
        assert _longest_run(values) / len(arrays["values"]) == pytest.approx(0.4, abs=0.02)
    tree, named = planted(_plant("are one row, with `success` 1"), tmp_path / "csv", SEED)
    assert len(_files(tree, named)) == 3
    for path in _files(tree, named):
        table = _table(path)
        found = table[table["success"] == 1].iloc[:, 4:].to_numpy()
        assert _longest_run(found) / len(table) == pytest.approx(0.35, abs=0.06)


@pytest.mark.slow  # grows four trees
def test_copies_resemble_their_source_and_rows_come_again(tmp_path):
    for what, least in (("a decimal less", 0.99), ("a vlog is there twice", 0.99)):
        tree, named = planted(_plant(what), tmp_path / what, SEED)
        first, second = (_table(path) for path in _files(tree, named))
        assert len(set(tree.cast.set_index("recording_id").loc[named[:2], "person"])) == 2
        later = first.iloc[len(first) - len(second) :].reset_index(drop=True)
        assert not later.iloc[:, 4:].equals(second.iloc[:, 4:])
        for name in ("pose_Rx", "gaze_0_x", "AU12_r"):
            assert later[name].corr(second[name]) > least
        assert np.all(np.diff(second["timestamp"]) > 0)
        assert second["frame"].iloc[0] == 1
    tree, named = planted(_plant("tiled"), tmp_path / "tiled", SEED)
    for path in _files(tree, named):
        with np.load(path) as arrays:
            assert len(arrays["features"]) > 100
            assert np.array_equal(arrays["features"][50:], arrays["features"][:-50])
    tree, named = planted(_plant("come again later"), tmp_path / "pasted", SEED)
    for path in _files(tree, named):
        values = _table(path).iloc[:, 4:].to_numpy()
        start = len(values) - 130
        assert np.array_equal(values[start : start + 120], values[10:130])


def _proportions(points):
    """Width of the jaw, of the mouth and length of the nose in distances of the eyes, medians over rows."""
    places = [(0, 16), (48, 54), (27, 33), (36, 45), (8, 27)]
    spans = np.array([np.linalg.norm(points[:, a] - points[:, b], axis=-1) for a, b in places])
    return np.median(spans / spans[3], axis=1)


def _within(points):
    """How much proportions of the first and the second part of a recording differ."""
    return np.abs(
        np.log(_proportions(points[: len(points) // 2]) / _proportions(points[len(points) // 2 :]))
    ).max()


@pytest.mark.slow  # grows two large trees
def test_the_second_face_has_other_proportions_at_another_place(clean, tmp_path):
    plant = _plant("takes over at half time")
    tree, named = planted(plant, tmp_path / "lab", SEED)
    before = clean(plant.layout)

    def points(root, file):
        table = _table(root / file)
        shown = table[table["success"] == 1]
        return np.stack([shown[[f"{axis}_{k}" for k in range(68)]].to_numpy() for axis in "xy"], axis=-1)

    for file in [name for name in named if "/" in name]:
        assert _within(points(tree.root, file)) > _within(points(before.root, file)) + 0.05
        places = points(tree.root, file).mean(axis=1)
        half = len(places) // 2
        assert np.linalg.norm(places[half + 5 :].mean(axis=0) - places[: half - 5].mean(axis=0)) > 60


def test_a_guest_in_a_vlog_has_other_proportions(clean, tmp_path):
    plant = _plant("a guest is seen")
    tree, named = planted(plant, tmp_path / "vlogs", SEED)
    before = clean(plant.layout)
    for file in [name for name in named if "/" in name]:
        old, new = (np.load(root / file).reshape(-1, 68, 2) for root in (before.root, tree.root))
        other = (old != new).any(axis=(1, 2))
        assert 0.25 < other.mean() < 0.36
        own, guest = _proportions(old[~other & old.any(axis=(1, 2))]), _proportions(new[other])
        again = _proportions(old[other])
        assert np.abs(np.log(own / guest)).max() > np.abs(np.log(own / again)).max() + 0.05


@pytest.mark.slow  # grows four trees
def test_clocks_are_wrong_as_the_sentence_says(tmp_path):
    tree, named = planted(_plant("holds seconds"), tmp_path / "seconds", SEED)
    wrong = set(_files(tree, named))
    for file in [file for name in ("dinov2", "headpose") for file in tree.cast[f"features_{name}"]]:
        with np.load(tree.root / file) as arrays:
            step = np.median(np.diff(arrays["timestamps_ms"]))
        assert step == pytest.approx(0.1 if tree.root / file in wrong else 100, rel=0.05)
    tree, named = planted(_plant("and the table says 30"), tmp_path / "stated", SEED)
    assert set(pd.read_csv(tree.root / "manifest.csv")["fps"]) == {30}
    assert all(_rate(_table(path)) == pytest.approx(25, rel=0.01) for path in _files(tree, named))
    tree, named = planted(_plant("go on at 15"), tmp_path / "half", SEED)
    for path in _files(tree, named):
        table = _table(path)
        half = len(table) // 2
        assert _rate(table.iloc[:half]) == pytest.approx(30, rel=0.01)
        assert _rate(table.iloc[half:]) == pytest.approx(15, rel=0.01)
    tree, named = planted(_plant("have 15 rows/s"), tmp_path / "site", SEED)
    rates = [_rate(_table(tree.root / file)) for file in tree.cast["file"]]
    ai = tree.cast["site"].to_numpy() == "ai"
    assert np.allclose(np.array(rates)[ai], 15, rtol=0.01)
    assert np.allclose(np.array(rates)[~ai], 30, rtol=0.01)


def _rate(table):
    return (len(table) - 1) / (table["timestamp"].iloc[-1] - table["timestamp"].iloc[0])


def test_the_size_of_files_in_double_precision_is_twice_as_large(tmp_path):
    tree, _ = planted(_plant("double precision"), tmp_path / "tree", SEED)
    sizes = pd.Series([(tree.root / file).stat().st_size for file in tree.cast["file"]])
    per_second = sizes / tree.cast["seconds"]
    assert per_second[tree.cast["wide"]].median() == pytest.approx(
        2 * per_second[~tree.cast["wide"]].median(), rel=0.15
    )
