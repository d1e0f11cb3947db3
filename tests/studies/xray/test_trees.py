"""Clean trees are read without a fault, are the same for a seed, and hold no relation but by chance."""

import numpy as np
import pytest
from scipy import stats

from datamodules.checks import validate
from datamodules.command_line import read, run
from datamodules.series import read_series
from studies.xray.cast import by_person
from studies.xray.faces import draw_face, landmarks
from studies.xray.layouts import LAYOUTS, grown
from studies.xray.layouts.manifests import JOINED


def _contents(root):
    return {
        path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()
    }


_QUICK = {"E-DAIC", "D-Vlog", "manifest of .npz series"}


@pytest.mark.parametrize(
    "layout",
    [
        pytest.param(one, id=one.name, marks=[] if one.name in _QUICK else [pytest.mark.slow])
        for one in LAYOUTS
    ],
)
def test_a_clean_tree_is_read_as_it_was_meant(layout, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    tree = grown(layout, tmp_path / "tree", 1)
    assert run(validate.main, layout.words(tree.root)) == 0
    assert capsys.readouterr().err == ""
    words = read(validate.main, layout.words(tree.root))
    options = {"root": str(words["root"])} if "root" in words else {}
    found = validate.read_data(words.get("manifest"), layout.source, options).table
    cast = tree.cast.set_index("recording_id")
    table = found.set_index("recording_id").loc[cast.index]
    assert len(found) == len(cast)
    assert (table["series_path"].str.split("/").str[-1] == cast["file"].str.split("/").str[-1]).all()
    assert (table["binary"] == cast["label"]).all()
    rows = (cast["seconds"] * layout.fps).round()
    assert (table["n_frames"] - rows).abs().max() <= 1
    assert table["fps"].astype(float).to_numpy() == pytest.approx(layout.fps, rel=0.01)
    series = read_series(tree.root / cast["file"].iloc[0], channels=None, fps=layout.fps)
    assert 0.4 < series.valid.mean() <= 1


def test_the_same_seed_gives_the_same_files_and_another_one_others(tmp_path):
    first, again, other = (
        _contents(grown(JOINED, tmp_path / name, seed).root) for name, seed in (("a", 1), ("b", 1), ("c", 2))
    )
    assert first == again
    assert first.keys() != other.keys() or first != other


@pytest.mark.slow  # 120 casts
def test_labels_go_with_nothing_more_often_than_by_chance():
    facts = ("age", "seconds", "lost", "trait_N", "score_of_name")
    found = {fact: [] for fact in facts}
    for seed in range(120):
        cast = by_person(JOINED.draw(np.random.default_rng(seed)))
        cast["score_of_name"] = cast["name"].str.extract(r"(\d+)")[0].astype(int)
        ill = cast["label"] == 1
        for fact in facts:
            found[fact].append(stats.mannwhitneyu(cast.loc[ill, fact], cast.loc[~ill, fact]).pvalue)
        for column in ("task", "corpus", "device", "sex", "split"):
            counts = cast.groupby([column, "label"]).size().unstack(fill_value=0)
            found.setdefault(column, []).append(stats.chi2_contingency(counts, correction=False).pvalue)
    for fact, values in found.items():
        assert stats.kstest(values, "uniform").pvalue > 1e-3, fact
        assert 0 < np.mean(np.array(values) < 0.05) < 0.12, fact  # neither sought nor avoided


def test_a_face_keeps_its_proportions_when_the_camera_moves():
    spans = [(36, 45), (48, 54), (27, 33)]

    def shape(face, seed):
        points = landmarks(face, np.random.default_rng(seed), 200, fps=1.0, cuts=True)
        long = np.array([np.median(np.linalg.norm(points[:, a] - points[:, b], axis=-1)) for a, b in spans])
        return np.log(long[1:] / long[0])

    faces = [draw_face(np.random.default_rng(seed)) for seed in range(8)]
    first, second = (np.array([shape(face, seed) for face in faces]) for seed in (1, 2))
    within, between = np.abs(first - second).mean(), np.abs(first - np.roll(second, 1, axis=0)).mean()
    assert between > 4 * within
