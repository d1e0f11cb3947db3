import av
import numpy as np
import pytest

from datamodules.synthetic import cohort
from datamodules.synthetic.cohort import fingerprint, synthetic_manifest
from datamodules.synthetic.latent import CHANNELS, LatentSettings, draw_cohort
from datamodules.synthetic.recording import CohortSettings
from datamodules.synthetic.room.recording import RoomCohort, room_of

LATENT = {"n_subjects": 2, "n_visits": 1, "fps": 8.0, "duration_s": 4.0, "confound": 1.0}
SMALL = LATENT | {"habit_visibility": 0.1, "seed": 3}
LABELS = ["recording_id", "subject_id", "score", "sex", "age", "fps", "n_frames"]


def settings(kind=RoomCohort, size=240):
    return kind(latent=LatentSettings(**SMALL), size=size, heterogeneity=0.3)


@pytest.fixture(scope="module")
def rooms(tmp_path_factory):
    root = tmp_path_factory.mktemp("cohorts")
    return synthetic_manifest(root=root, workers=1, size=240, scene="room", **SMALL)


def test_same_persons_and_labels_in_another_picture(rooms, tmp_path):
    portraits = synthetic_manifest(root=tmp_path, workers=1, size=48, **SMALL)
    columns = [name for name in portraits.table if name in LABELS or name.startswith(("item_", "trait_"))]
    assert rooms.table[columns].equals(portraits.table[columns])
    for own, other in zip(rooms.recordings(), portraits.recordings(), strict=True):
        assert own.series_path.read_bytes() == other.series_path.read_bytes()
        with av.open(str(own.path)) as video:
            stream = video.streams.video[0]
            shapes = [(frame.width, frame.height) for frame in video.decode(stream)]
        assert shapes == [(320, 240)] * len(np.load(own.series_path)["values"])
    assert rooms.table["content_hash"].is_unique


def test_truth_lies_beside_the_videos(rooms):
    for recording, visit in zip(rooms.recordings(), draw_cohort(settings().latent), strict=True):
        kept = np.load(rooms.root / "rooms" / f"{recording.recording_id}.npz")
        truth = room_of(visit, settings()).truth
        np.testing.assert_array_equal(kept["valid"], truth.usable)
        left = kept["values"][:, kept["channels"].tolist().index("box_left")]
        np.testing.assert_allclose(left, truth.boxes[:, 0], rtol=1e-5)


def test_what_is_there_is_not_made_again(rooms, monkeypatch):
    monkeypatch.setattr(cohort, "write_room", None)
    again = synthetic_manifest(root=rooms.root.parent, workers=1, size=240, scene="room", **SMALL)
    assert again.root == rooms.root


def test_a_room_changes_nothing_of_a_portrait(monkeypatch):
    plain = fingerprint(settings(CohortSettings))
    assert fingerprint(settings()) != plain
    own = cohort._digest
    monkeypatch.setattr(cohort, "_digest", lambda *names: "new" if "room/room" in names else own(*names))
    assert fingerprint(settings(CohortSettings)) == plain
    changed = fingerprint(settings())
    monkeypatch.undo()
    assert changed != fingerprint(settings())


def test_a_room_knows_nothing_of_severity():
    from dataclasses import replace

    visit = draw_cohort(settings().latent)[0]
    well, ill = (room_of(replace(visit, severity=severity), settings()) for severity in (-1.0, 3.0))
    assert well.truth.event == ill.truth.event
    for name in ("x", "y", "unit", "roll"):
        np.testing.assert_array_equal(getattr(well.script.main, name), getattr(ill.script.main, name))
    frown = CHANNELS.index("au04")
    assert ill.main.series[:, frown].mean() > well.main.series[:, frown].mean()


@pytest.mark.parametrize("size", [0, 64, 250])
def test_a_room_too_small_for_a_face_is_refused(size, tmp_path):
    with pytest.raises(ValueError, match=r"data\.cohort\.size=480"):
        synthetic_manifest(root=tmp_path, size=size, scene="room", **SMALL)


def test_an_unknown_scene_is_refused(tmp_path):
    with pytest.raises(ValueError, match="portrait or room"):
        synthetic_manifest(root=tmp_path, size=48, scene="garden", **SMALL)
