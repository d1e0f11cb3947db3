import numpy as np
import pandas as pd
import pytest

from datamodules.synthetic.latent import CHANNELS
from datamodules.synthetic.room.room import draw_room
from studies.face_room.measure import frame_table, see
from studies.face_room.page import write_page
from studies.face_room.recovery import OPENING, READ, correlations, driven_room, recovery_table
from studies.face_room.score import masks, recall


@pytest.fixture(scope="module")
def models():
    from preprocessing.models.folder import ModelError, locate

    try:
        locate()
    except ModelError:
        pytest.skip("no face networks here: run `python -m preprocessing.models` once")


@pytest.fixture(scope="module")
def seen(models):
    from preprocessing.faces.litert import LitertFaces

    room = draw_room(1, seconds=4.0, fps=12.0, events=("dark", "soft"))
    return room, see(room, LitertFaces())


def test_a_room_through_the_steps(seen):
    table = frame_table(*seen)
    assert recall([table]).value > 0.9
    assert masks([table], "dark", edges=False)["recall"].value == 1
    assert table["usable"].mean() > 0.5


def test_the_page_is_written(seen, tmp_path):
    table = frame_table(*seen)
    r = pd.DataFrame({"kind": ["together"] * 2, "channel": ["au12"] * 2, "r": [0.8, 0.9]})
    facts = {"command": "command", "machine": "machine", "first": 0, "seconds": 1.0}
    text = write_page([table, table], r, tmp_path / "page.md", **facts)
    assert (tmp_path / "page.md").read_text(encoding="utf-8") == text
    assert "| `au12` | `au_proxy_12` | - | .85 ± .64 | - | .99 / .82 |" in text


def test_series_follow_what_was_drawn(models):
    from preprocessing.faces.litert import LitertFaces

    room = driven_room(0, seconds=6.0, fps=12.0, together=True)
    found = correlations(room, see(room, LitertFaces()))
    assert set(found) == set(READ)
    for channel, least in {"pose_roll": 0.9, "pose_yaw": 0.7, "au45": 0.4}.items():
        assert found[channel] > least, channel


def test_channels_move_in_turn_or_together():
    in_turn = driven_room(0, seconds=13.0, fps=5.0, together=False).truth.series
    moving = in_turn != in_turn[0] * 0 + np.where(np.array(CHANNELS) == "pupil", np.float32(0.4), 0)
    assert moving.sum(axis=1).max() == 1
    together = driven_room(0, seconds=4.0, fps=10.0, together=True).truth.series
    assert (together.std(axis=0)[:-1] > 0).all()


def test_recovery_table_is_a_mean_with_students_interval():
    rows = pd.DataFrame({"kind": "together", "channel": OPENING, "r": [0.2, 0.4, 0.6]})
    (row,) = recovery_table(rows)
    assert row["r"] == pytest.approx(0.4)
    assert row["half"] == pytest.approx(4.303 * 0.2 / np.sqrt(3), rel=1e-3)
