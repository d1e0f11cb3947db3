import ast
import hashlib
import json
import os
import subprocess
from dataclasses import asdict, fields, replace
from pathlib import Path

import av
import numpy as np
import pandas as pd
import pytest

from datamodules.manifests.manifest import read_manifest
from datamodules.synthetic import cohort
from datamodules.synthetic.acts import ASPECTS
from datamodules.synthetic.behavior import act_statistics, statistics
from datamodules.synthetic.cohort import fingerprint, synthetic_manifest
from datamodules.synthetic.files import partial_path
from datamodules.synthetic.latent import CHANNELS, LatentSettings, draw_cohort
from datamodules.synthetic.recording import (
    CohortSettings,
    placement,
    questionnaire,
    recorded_series,
    write_recording,
)

SMALL = {
    "n_subjects": 3,
    "n_visits": 2,
    "fps": 15.0,
    "duration_s": 2.0,
    "size": 48,
    "confound": 1.0,
    "habit_visibility": 0.1,
    "seed": 3,
}


def settings(**changes):
    values = SMALL | changes
    size = values.pop("size")
    return CohortSettings(latent=LatentSettings(**values), size=size, heterogeneity=0.3)


def hashes(folder):
    return {
        p.relative_to(folder).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest()
        for p in folder.rglob("*.*")
    }


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    return synthetic_manifest(root=tmp_path_factory.mktemp("cohorts"), workers=1, **SMALL)


def test_manifest_describes_the_files(small):
    table = small.table
    assert len(table) == 6
    assert table["recording_id"].is_unique
    assert set(table["scale"]) == {"BDI-II"}
    assert (table["binary"] == (table["score"] >= 14)).all()
    assert (table["score"] == table.filter(like="item_bdi2").sum(axis=1)).all()
    for recording, (_, row) in zip(small.recordings(), table.iterrows(), strict=True):
        assert row["content_hash"] == hashlib.sha256(recording.path.read_bytes()).hexdigest()
        with av.open(str(recording.path)) as container:
            assert float(container.streams.video[0].average_rate) == row["fps"] == recording.fps
            frames = np.stack([f.to_ndarray(format="rgb24") for f in container.decode(video=0)])
        assert frames.shape == (recording.n_frames, 48, 48, 3)
        assert frames.mean() / 255 == pytest.approx(row["brightness"], abs=0.01)
        assert row["duration_s"] == pytest.approx(recording.n_frames / 15, abs=1e-5)
        with np.load(recording.series_path) as series:
            assert series["values"].shape == (recording.n_frames, len(CHANNELS))
            assert series["channels"].tolist() == list(CHANNELS)
            assert series["valid"].all()
        with np.load(recording.landmark_path) as points:
            assert points["values"].shape == (recording.n_frames, len(points["channels"]))
            assert "brow_l_0_x" in points["channels"].tolist()
            assert 0 < points["values"].min() < points["values"].max() < 1
    assert len(read_manifest(small.root / "manifest.csv").table) == 6


def test_truth_holds_severity_and_statistics(small):
    truth = pd.read_csv(small.truth)
    visits = draw_cohort(settings().latent)
    assert truth["recording_id"].tolist() == small.table["recording_id"].tolist()
    assert truth["severity"].to_numpy() == pytest.approx([v.severity for v in visits])
    for recording, (_, row) in zip(small.recordings(), truth.iterrows(), strict=True):
        with np.load(recording.series_path) as series:
            expected = statistics(series["values"])
        for name, value in expected.items():
            assert row[f"stat_{name}"] == pytest.approx(value, abs=1e-6)
    habits = truth.filter(like="habit_").drop_duplicates()
    assert len(habits) == SMALL["n_subjects"]  # habits belong to persons, not to visits


@pytest.mark.slow
def test_workers_and_order_change_nothing(small, tmp_path):
    again = synthetic_manifest(root=tmp_path, workers=1, **SMALL)
    shuffled = tmp_path / "shuffled"
    for name in ("series", "landmarks", "videos", "entries"):
        (shuffled / name).mkdir(parents=True)
    for visit in draw_cohort(settings().latent)[::-1]:
        write_recording(visit, settings(), shuffled)
    first = hashes(small.root)
    assert hashes(again.root) == first
    assert hashes(shuffled).items() <= first.items()
    assert again.digest() == small.digest()


@pytest.mark.slow
def test_two_processes_write_the_same_bytes(small, tmp_path, monkeypatch):
    monkeypatch.setattr(cohort, "_BATCH", 3)
    other = synthetic_manifest(root=tmp_path, workers=2, **SMALL)
    assert hashes(other.root) == hashes(small.root)


def test_only_what_is_missing_is_made_again(tmp_path, monkeypatch):
    made = []
    monkeypatch.setattr(
        cohort, "write_recording", lambda v, *rest: (made.append(v.session_id), write_recording(v, *rest))
    )
    first = synthetic_manifest(root=tmp_path, workers=1, **SMALL)
    before = hashes(first.root)
    made.clear()
    synthetic_manifest(root=tmp_path, workers=1, **SMALL)
    assert made == []
    videos = sorted((first.root / "videos").glob("*.mp4"))
    stamps = {p: p.stat().st_mtime_ns for p in videos}
    videos[0].unlink()
    videos[3].write_bytes(videos[3].read_bytes()[:100])  # a copy that was cut short
    synthetic_manifest(root=tmp_path, workers=1, **SMALL)
    assert len(made) == 2
    assert [p for p in videos if p.stat().st_mtime_ns != stamps[p]] == [videos[0], videos[3]]
    assert hashes(first.root) == before


def test_an_interrupted_call_goes_on(small, tmp_path, monkeypatch):
    made = []

    def interrupted(visit, *rest):
        if len(made) == 4:
            raise KeyboardInterrupt
        made.append(visit)
        write_recording(visit, *rest)

    monkeypatch.setattr(cohort, "write_recording", interrupted)
    with pytest.raises(KeyboardInterrupt):
        synthetic_manifest(root=tmp_path, workers=1, **SMALL)
    assert not list(tmp_path.rglob("manifest.csv"))
    rest = []
    monkeypatch.setattr(cohort, "write_recording", lambda v, *a: (rest.append(v), write_recording(v, *a)))
    finished = synthetic_manifest(root=tmp_path, workers=1, **SMALL)
    assert len(rest) == 2
    assert hashes(finished.root) == hashes(small.root)


def swapped(folder):
    """Two series of equal size take each other's place."""
    files = sorted((folder / "series").glob("*.npz"), key=lambda file: file.stat().st_size)
    at = next(at for at in range(len(files)) if files[at].stat().st_size == files[at + 1].stat().st_size)
    one, other = files[at], files[at + 1]
    content = one.read_bytes()
    one.write_bytes(other.read_bytes())
    other.write_bytes(content)


def flipped(file):
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


DAMAGE = {
    "exchanged series": swapped,
    "manifest cut at a line": lambda folder: (folder / "manifest.csv").write_text(
        "".join((folder / "manifest.csv").read_text().splitlines(keepends=True)[:3])
    ),
    "truth cut": lambda folder: (folder / "truth.csv").write_bytes((folder / "truth.csv").read_bytes()[:99]),
    "a bit of an entry": lambda folder: flipped(next((folder / "entries").iterdir())),
    "an entry of NUL": lambda folder: next((folder / "entries").iterdir()).write_bytes(b"\0" * 900),
    "an empty dict": lambda folder: next((folder / "entries").iterdir()).write_text("{}"),
    "an entry that is a list": lambda folder: next((folder / "entries").iterdir()).write_text("[1]"),
    "rubbish in an entry": lambda folder: next((folder / "entries").iterdir()).write_bytes(b"\xff\xfe\x80"),
    "a bit of a series": lambda folder: flipped(next((folder / "series").iterdir())),
    "a bit of the landmarks": lambda folder: flipped(next((folder / "landmarks").iterdir())),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_whatever_is_damaged_is_made_again(tmp_path, damage):
    made = synthetic_manifest(root=tmp_path, workers=1, **(SMALL | {"size": None}))
    before = hashes(made.root)
    DAMAGE[damage](made.root)
    assert hashes(made.root) != before
    again = synthetic_manifest(root=tmp_path, workers=1, **(SMALL | {"size": None}))
    assert hashes(again.root) == before
    assert again.digest() == made.digest()


def test_what_dead_processes_left_is_removed(tmp_path):
    made = synthetic_manifest(root=tmp_path, workers=1, **(SMALL | {"size": None}))
    ended = subprocess.Popen(["true"])
    ended.wait()
    file = partial_path(made.root / "series" / "P0000_V0.npz")
    dead = file.with_name(file.name.replace(f"-{os.getpid()}", f"-{ended.pid}"))
    elsewhere = dead.with_name(".P0000_V1.otherhost-1.npz")
    for partial in (file, dead, elsewhere):
        partial.write_bytes(b"half")
    synthetic_manifest(root=tmp_path, workers=1, **(SMALL | {"size": None}))
    assert not dead.exists()
    assert file.exists()
    assert elsewhere.exists()  # another machine may be writing it now
    os.utime(elsewhere, (0, 0))
    synthetic_manifest(root=tmp_path, workers=1, **(SMALL | {"size": None}))
    assert not elsewhere.exists()


def test_truth_of_movement_holds_the_acts(tmp_path):
    sizes = SMALL | {"size": 0, "duration_s": 20.0, "movement": 0.8}
    truth = pd.read_csv(synthetic_manifest(root=tmp_path, workers=1, **sizes).truth)
    visits = draw_cohort(settings(**sizes).latent)
    assert {f"{kind}_nod_{name}" for kind in ("stat", "habit") for name in ASPECTS} <= set(truth)
    assert np.isfinite(truth.drop(columns="recording_id").to_numpy()).all()
    assert truth["stat_nod_rate"].nunique() > 3
    assert truth["habit_nod_rate"].nunique() == 3  # one a person
    seconds = pd.read_csv(next(tmp_path.rglob("manifest.csv")))["duration_s"]
    found = [act_statistics(v, settings(**sizes).latent, s) for v, s in zip(visits, seconds, strict=True)]
    assert truth["stat_smile_lag"].to_numpy() == pytest.approx([row["smile_lag"] for row in found])
    drifting = pd.read_csv(synthetic_manifest(root=tmp_path, workers=1, drift=0.3, **sizes).truth)
    assert drifting["habit_nod_rate"].nunique() == 6  # habits of the visit


def imported(name):
    """Modules of the generator that a module of it imports, itself included."""
    folder, prefix = Path(cohort.__file__).parent, "datamodules.synthetic."
    found, waiting = set(), [name]
    while waiting:
        found.add(module := waiting.pop())
        for node in ast.walk(ast.parse((folder / f"{module}.py").read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and f"{node.module}.".startswith(prefix):
                here = f"{node.module}."[len(prefix) :].rstrip(".").replace(".", "/")
                named = [here, *(f"{here}/{alias.name}".lstrip("/") for alias in node.names)]
                waiting += [m for m in named if (folder / f"{m}.py").is_file() and m not in found]
    return found


def test_the_fingerprint_covers_all_code_that_draws():
    portrait = imported("recording")
    assert {"behavior", "acts", "geometry"} < portrait
    assert portrait - {"files"} == set(cohort._GENERATOR)  # `files` writes what is drawn
    assert imported("room/recording") - portrait == set(cohort._ROOM)


def test_every_setting_changes_the_fingerprint(monkeypatch):
    base = settings()
    seen = {fingerprint(base)}
    for field in fields(LatentSettings):
        value = getattr(base.latent, field.name)
        seen.add(
            fingerprint(
                replace(
                    base,
                    latent=replace(
                        base.latent, **{field.name: value + 0.5 if isinstance(value, float) else value + 1}
                    ),
                )
            )
        )
    others = ({"size": 50}, {"heterogeneity": 0.5}, {"prevalence": "school"}, {"landmarks": False})
    seen |= {fingerprint(replace(base, **change)) for change in others}
    monkeypatch.setattr(cohort, "_generator", lambda: "another")
    seen.add(fingerprint(base))
    assert len(seen) == 1 + len(fields(LatentSettings)) + len(others) + 1
    monkeypatch.undo()
    assert fingerprint(settings()) in seen


def test_whole_and_decimal_numbers_are_one_cohort(tmp_path):
    first = synthetic_manifest(
        root=tmp_path, heterogeneity=0, **SMALL | {"size": None, "confound": 1, "fps": 15}
    )
    again = synthetic_manifest(root=tmp_path, heterogeneity=0.0, **SMALL | {"size": None})
    assert first.root == again.root


@pytest.mark.parametrize("seed", [5, pytest.param(6, marks=pytest.mark.slow)])
def test_the_strongest_settings_can_be_drawn(seed, tmp_path):
    strongest = {"confound": 5.0, "interaction": 1.0, "movement": 0.9, "drift": 1.0, "stability": 0.9}
    few = SMALL | {"n_subjects": 20, "n_visits": 2, "size": None, "seed": seed} | strongest
    manifest = synthetic_manifest(root=tmp_path, heterogeneity=1.0, landmarks=False, **few)
    for name in manifest.table["series_path"]:
        with np.load(Path(manifest.root) / name) as held:
            assert np.isfinite(held["values"]).all()


def test_nuisance_knows_nothing_of_severity():
    many = settings(n_subjects=200, duration_s=4.0)
    visits = draw_cohort(many.latent)
    ill = [replace(v, severity=v.severity + 3) for v in visits]
    assert [placement(v, many) for v in visits] == [placement(v, many) for v in ill]
    assert [len(recorded_series(v, many)) for v in visits[:20]] == [
        len(recorded_series(v, many)) for v in ill[:20]
    ]
    assert sum(questionnaire(ill[0], many).values()) > sum(questionnaire(visits[0], many).values())
    severity = np.array([v.severity for v in visits])
    for name in ("light", "slant", "shift_x", "shift_y", "scale"):
        values = np.array([getattr(placement(v, many), name) for v in visits])
        assert values.std() > 0.01
        assert abs(np.corrcoef(values, severity)[0, 1]) < 0.15


@pytest.mark.slow
def test_symptom_profiles_last(monkeypatch):
    """The same person's visits share a profile; their answers differ by severity and chance only."""
    many = settings(n_subjects=300, n_visits=2)
    many = replace(many, heterogeneity=0.9)
    visits = [replace(v, severity=0.0) for v in draw_cohort(many.latent)]
    somatic = [sum(questionnaire(v, many)[f"item_bdi2_{j}"] for j in (15, 16, 18, 20, 21)) for v in visits]
    assert np.corrcoef(somatic[::2], somatic[1::2])[0, 1] > 0.5


def test_series_only(tmp_path):
    for size in (None, 0):
        manifest = synthetic_manifest(root=tmp_path, workers=1, **(SMALL | {"size": size}))
    assert len(list(tmp_path.iterdir())) == 1  # both spellings are the same cohort
    assert not list(manifest.root.rglob("*.mp4"))
    assert all(r.path is None and r.series_path.is_file() for r in manifest.recordings())
    assert manifest.table["content_hash"].is_unique


def test_landmarks_may_be_left_out(small, tmp_path):
    lean = synthetic_manifest(root=tmp_path, workers=1, landmarks=False, **(SMALL | {"size": None}))
    assert not list((lean.root / "landmarks").iterdir())
    for own, other in zip(lean.recordings(), small.recordings(), strict=True):
        assert own.landmark_path is None
        assert own.series_path.read_bytes() == other.series_path.read_bytes()


def test_settings_are_written_down(small):
    written = json.loads((small.root / "settings.json").read_text())
    assert written["settings"] == asdict(settings())


@pytest.mark.parametrize(
    ("change", "message"), [({"size": 47}, "even"), ({"size": -2}, "even"), ({"confound": -1.0}, "confound")]
)
def test_impossible_settings_are_refused(tmp_path, change, message):
    with pytest.raises(ValueError, match=message):
        synthetic_manifest(root=tmp_path, workers=1, **(SMALL | change))
    assert list(tmp_path.iterdir()) == []
