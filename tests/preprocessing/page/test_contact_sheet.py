import cv2
import numpy as np
import pytest

from preprocessing.faces.topology import IBUG68, MESH
from preprocessing.page.contact_sheet import COLUMNS, HEIGHT, WIDTH, ContactSheet
from preprocessing.page.reason_colors import COLORS, USED, rgb
from preprocessing.quality.gate import REASONS

TILE, PITCH = 156, 160


def sheet(track, verdict, *, frame=90, crop=200, noise=False):
    """The decoded sheet of gray frames, and its bytes."""
    made = ContactSheet(track)
    rng = np.random.default_rng(0)
    for index in made.indices:
        picture = np.full((track.height, track.width, 3), frame, np.uint8)
        if noise:
            picture = rng.integers(0, 256, picture.shape, np.uint8)
        face = np.full((224, 224, 3), crop, np.uint8)
        made.add(index, picture, rng.integers(0, 256, face.shape, np.uint8) if noise else face)
    data = made.jpeg(verdict)
    return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)[..., ::-1].astype(int), data


def close(pixel, color, within=30):
    return np.abs(np.asarray(pixel) - rgb(color)).max() <= within


@pytest.mark.parametrize(
    ("total", "indices"),
    [(0, ()), (1, (0,)), (3, (0, 1, 2)), (8, tuple(range(8))), (80, tuple(range(5, 80, 10)))],
)
def test_frames_are_the_middle_ones_of_equal_parts(make_track, total, indices):
    assert ContactSheet(make_track(total)).indices == indices


def test_edges_of_the_crops_tell_what_is_used(make_track, make_verdict):
    track = make_track(8, absent=(2,))
    against = {"no face": [2], "blurred": [5], "turned": [5]}
    picture, _ = sheet(track, make_verdict(8, against))
    assert picture.shape == (HEIGHT, WIDTH, 3)
    edges = picture[360, 1::PITCH]
    for column, edge in enumerate(edges):
        wanted = {2: COLORS["no face"], 5: COLORS["blurred"]}.get(column, USED)
        assert close(edge, wanted), f"column {column}: {edge}"


def test_box_and_mesh_lie_where_the_face_is(make_track, make_verdict):
    track = make_track(8, absent=(2,))
    picture, _ = sheet(track, make_verdict(8))
    scale = TILE / 640
    row, left, right = round(200 * scale), round(200 * scale), round(360 * scale)
    changed = np.abs(picture[row, :TILE] - 90).max(-1) > 25
    assert {left, right} <= {place + step for place in np.flatnonzero(changed) for step in (-1, 0, 1)}
    assert changed.sum() <= 8  # the two sides of the box, no more
    mesh = picture[122 : 122 + TILE, :TILE]
    ring = np.argwhere(np.abs(mesh - 90).max(-1) > 40) - TILE / 2
    radius = np.hypot(ring[:, 1] / 0.8, ring[:, 0])  # 160 x 200 px, 1.25 times as much is shown
    assert np.quantile(radius, 0.95) == pytest.approx(TILE / 2 / 1.25, abs=2)
    without = picture[:278, 2 * PITCH : 2 * PITCH + TILE]
    assert np.abs(without - without[0, 0]).max() < 3 or not close(without[50, 78], USED)


def test_frames_without_a_face_have_no_lines(make_track, make_verdict):
    picture, _ = sheet(make_track(8, absent=range(8)), make_verdict(8, {"no face": range(8)}))
    frames, close_ups = picture[10:100, :TILE], picture[130:270, :TILE]
    assert np.ptp(frames) <= 4
    assert np.ptp(close_ups.mean((0, 1))) <= 8


@pytest.mark.parametrize("topology", [MESH, IBUG68], ids=lambda one: one.name)
@pytest.mark.parametrize("size", [(640, 480), (1080, 1920), (2, 2), (1, 1), (4000, 20)])
def test_any_frame_gives_a_sheet_of_one_size(make_track, make_verdict, topology, size):
    picture, _ = sheet(make_track(3, topology=topology, size=size), make_verdict(3))
    assert picture.shape == (HEIGHT, WIDTH, 3)
    assert picture[:, 3 * PITCH :].min() > 250  # three frames, nothing beyond them


def test_boxes_beyond_the_frame_and_absent_landmarks_are_drawn(make_track, make_verdict):
    track = make_track(3, box=(-3000, -10, 5000, 470))
    track.landmarks[1, MESH.oval[4]] = np.nan
    track.boxes[2] = 300, 200, 300, 200
    picture, _ = sheet(track, make_verdict(3))
    assert picture.shape == (HEIGHT, WIDTH, 3)


def test_noise_stays_below_the_limit(make_track, make_verdict):
    _, data = sheet(make_track(8), make_verdict(8), noise=True)
    assert 50_000 < len(data) <= 150_000


def test_nothing_to_show_is_said(make_track, make_verdict):
    with pytest.raises(ValueError, match="needs frames"):
        ContactSheet(make_track(5)).jpeg(make_verdict(5))


def test_each_reason_has_a_color_of_its_own():
    assert set(COLORS) == set(REASONS)
    assert len({*COLORS.values(), USED}) == len(REASONS) + 1
    assert WIDTH == COLUMNS * PITCH - 4
