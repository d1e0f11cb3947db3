"""Aligned faces stand still, follow the person without delay, and never leave the crop."""

import numpy as np
import pytest
from skimage.data import astronaut

from datamodules.synthetic.appearance import Appearance
from preprocessing.alignment.aligner import Aligner, in_crop
from preprocessing.alignment.template import template
from preprocessing.faces.topology import IBUG68, MESH
from tests.preprocessing.drawn_faces import behavior, points_of, track_of, wander

EYES_APART = 224 / 3.3


def _face(topology):
    """Landmarks of a face whose rigid points are exactly those of the layout; the others lie between."""
    rigid = template(topology, size=224, margin=0.25)
    points = np.tile(rigid.mean(axis=0), (topology.count, 1))
    points[list(topology.rigid)] = rigid
    return points


def _moving(face, x, y, angle, scale, noise=0.0, seed=0):
    """The face moved by known similarities, and the same with noise of landmarks ``(T, P, 3)``."""
    z = (face[:, 0] - 112) + 1j * (face[:, 1] - 112)
    moved = (scale * np.exp(1j * angle))[:, None] * z + (x + 1j * y)[:, None]
    clean = np.stack([moved.real, moved.imag, np.full(moved.shape, np.nan)], axis=2)
    return clean, clean + noise * np.random.default_rng(seed).standard_normal(clean.shape)


def _residual(matrices, clean):
    """Places of the true points in the crop ``(T, P, 2)``."""
    return np.stack([in_crop(row, matrix) for row, matrix in zip(clean, matrices, strict=True)])


def _sway(total=300, fps=30.0):
    seconds = np.arange(total) / fps
    turn = 2 * np.pi * seconds
    return seconds, 320 + 20 * np.sin(0.4 * turn), 240 + 8 * np.sin(turn), 0.1 * np.sin(0.3 * turn)


@pytest.mark.parametrize("topology", [MESH, IBUG68], ids=lambda one: one.name)
def test_jitter_is_at_least_halved(topology):
    seconds, x, y, angle = _sway()
    clean, noisy = _moving(_face(topology), x, y, angle, np.full(300, 1.2), noise=0.8)
    rigid = list(topology.rigid)
    jitter = []
    for smooth_s in (0, 0.1):
        matrices = Aligner(smooth_s=smooth_s).matrices(track_of(noisy, topology=topology), seconds)
        jitter.append(np.diff(_residual(matrices, clean)[:, rigid], axis=0).std())
    assert jitter[1] < 0.5 * jitter[0]


def test_without_noise_all_frames_and_persons_agree():
    seconds, x, y, angle = _sway()
    clean, _ = _moving(_face(MESH), x, y, angle, np.linspace(0.5, 1.5, 300))
    matrices = Aligner().matrices(track_of(clean, topology=MESH), seconds)
    away = _residual(matrices, clean)[:, list(MESH.rigid)] - template(MESH, size=224, margin=0.25)
    assert np.abs(away).max() < 0.02 * EYES_APART
    corners = []
    for seed in range(6):
        points = points_of(Appearance.draw(seed), behavior(1), 400)
        matrix = Aligner().matrices(track_of(points), np.zeros(1))[0]
        corners.append(in_crop(points[0], matrix)[[36, 39, 42, 45]])
    expected = [template(IBUG68, size=224, margin=0.25)[IBUG68.rigid.index(one)] for one in (36, 39, 42, 45)]
    np.testing.assert_allclose(np.mean(corners, axis=0), expected, atol=0.08 * EYES_APART)
    assert np.std(corners, axis=0).max() < 0.05 * EYES_APART


def test_size_and_margin_scale_the_crop_and_nothing_else():
    points = points_of(Appearance.draw(1), behavior(1), 400)
    places = {}
    for size, margin in ((224, 0.25), (112, 0.25), (256, 0.0)):
        matrix = Aligner(size=size, margin=margin).matrices(track_of(points), np.zeros(1))[0]
        places[size] = (in_crop(points[0], matrix) - (size - 1) / 2) / size
    np.testing.assert_allclose(places[112], places[224], atol=1e-5)
    np.testing.assert_allclose(places[256], 1.5 * places[224], atol=1e-5)


@pytest.mark.parametrize("kind", ["sine", "step"])
def test_a_crop_does_not_lag(kind):
    seconds = np.cumsum(np.tile([0.02, 0.05, 0.033], 100))
    x = 320 + (30 * np.sin(2 * np.pi * seconds) if kind == "sine" else 60 * np.tanh((seconds - 5) / 0.1))
    _, noisy = _moving(_face(MESH), x, np.full(300, 240.0), np.zeros(300), np.ones(300), noise=0.5)
    matrices = Aligner().matrices(track_of(noisy, topology=MESH), seconds)
    followed = -matrices[:, 0, 2]
    true, followed = x - x.mean(), followed - followed.mean()
    assert np.argmax(np.correlate(followed, true, mode="full")) == len(true) - 1


def test_a_fast_move_stays_within_the_bound():
    seconds = np.arange(60) / 30
    x = np.where(seconds < 1, 200.0, 420.0)  # from one frame to the next
    clean, _ = _moving(_face(MESH), x, np.full(60, 240.0), np.zeros(60), np.ones(60))
    track = track_of(clean, topology=MESH)
    for bound in (0.05, 0.1):
        matrices = Aligner(smooth_s=0.2, bound=bound).matrices(track, seconds)
        off = np.abs(_residual(matrices, clean)[:, list(MESH.rigid)] - template(MESH, size=224, margin=0.25))
        assert 0.5 * bound * EYES_APART < off.max() <= 1.01 * bound * EYES_APART


def test_gaps_and_jumps_are_never_smoothed_across():
    rng = np.random.default_rng(5)
    seconds = np.arange(90) / 30
    _, noisy = _moving(
        _face(MESH), 300 + wander(rng, 90, 5), np.full(90, 240.0), np.zeros(90), np.ones(90), 0.5
    )
    whole = track_of(noisy, topology=MESH, absent=range(40, 50), jumped=[50, 70])
    moved = np.array(whole.landmarks)
    moved[70:] += [200, 50, 0]
    matrices = Aligner().matrices(whole, seconds)
    after = Aligner().matrices(track_of(moved, topology=MESH, absent=range(40, 50), jumped=[50, 70]), seconds)
    np.testing.assert_array_equal(matrices[:70], after[:70])
    assert np.isnan(matrices[40:50]).all()
    assert np.isfinite(np.delete(matrices, range(40, 50), axis=0)).all()
    alone = Aligner().matrices(track_of(noisy[:40], topology=MESH), seconds[:40])
    np.testing.assert_allclose(matrices[:40], alone)


def test_short_gaps_are_bridged_in_a_straight_line_and_others_are_black():
    seconds = np.arange(40) / 30
    clean, _ = _moving(_face(MESH), 300 + 60 * seconds, np.full(40, 240.0), np.zeros(40), np.ones(40))
    aligner = Aligner()
    bridged = aligner.matrices(
        track_of(clean, topology=MESH, absent=[0, *range(10, 15), *range(20, 26)]), seconds
    )
    whole = aligner.matrices(track_of(clean, topology=MESH), seconds)
    np.testing.assert_allclose(bridged[10:15], whole[10:15], atol=1e-6)
    assert np.isnan(bridged[[0, *range(20, 26)]]).all()
    jumped = aligner.matrices(track_of(clean, topology=MESH, absent=range(10, 15), jumped=[15]), seconds)
    assert np.isnan(jumped[10:15]).all()
    crop = aligner.crop(astronaut(), bridged[0], np.full((478, 3), np.nan, np.float32))
    assert crop.shape == (224, 224, 3)
    assert not crop.any()


def test_the_oval_of_either_mesh_hides_what_is_around_the_face():
    look = Appearance.draw(2)
    points = points_of(look, behavior(1), 200)
    aligner = Aligner(size=112, oval=True)
    matrix = aligner.matrices(track_of(points), np.zeros(1))[0]
    frame = np.full((200, 200, 3), 200, np.uint8)
    crop = aligner.crop(frame, matrix, points[0])
    chin = in_crop(points[0], matrix)[8].round().astype(int)
    assert (crop[[0, 0, -1, -1], [0, -1, 0, -1]] == 128).all()
    assert (crop[chin[1] - 4, chin[0]] == 200).all()
    assert (crop[chin[1] + 5, chin[0]] == 128).all()


@pytest.mark.parametrize(
    "wrong", [{"size": 113}, {"size": 96}, {"size": 258}, {"margin": -0.1}, {"bound": -1}]
)
def test_arguments_without_a_meaning_are_refused(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Aligner(**wrong)


def test_times_must_fit_the_frames():
    track = track_of(points_of(Appearance.draw(2), behavior(3), 200))
    for seconds in (np.zeros(2), np.array([0, 0.2, 0.1])):
        with pytest.raises(ValueError, match="not falling"):
            Aligner().matrices(track, seconds)


@pytest.mark.slow
def test_jitter_of_the_network_is_halved_on_a_real_face(face_models):
    import cv2

    from preprocessing.faces.litert import LitertFaces
    from preprocessing.tracking.follow import follow

    rng = np.random.default_rng(0)
    total, fps = 120, 30
    seconds = np.arange(total) / fps
    frames, warps = [], []
    for t in seconds:
        turn = 2 * np.pi * t
        center, angle, scale = (225.0, 110.0), 4 * np.sin(0.5 * turn), 1.6 + 0.1 * np.sin(0.3 * turn)
        warp = cv2.getRotationMatrix2D(center, angle, scale)
        warp[:, 2] += [320 - 225 + 15 * np.sin(0.7 * turn), 240 - 110 + 6 * np.sin(turn)]
        frame = cv2.warpAffine(astronaut(), warp, (640, 480)).astype(np.int16)
        frames.append(np.clip(frame + rng.normal(0, 4, frame.shape), 0, 255).astype(np.uint8))
        warps.append(warp)
    track = follow(iter(frames), LitertFaces())
    face = np.array([[203.5, 101.1], [246.6, 103.5], [225, 140]])  # eyes and mouth in the picture itself
    true = np.stack([face @ warp[:, :2].T + warp[:, 2] for warp in warps])
    jitter = []
    for smooth_s in (0, 0.1):
        matrices = Aligner(smooth_s=smooth_s).matrices(track, seconds)
        jitter.append(np.diff(_residual(matrices, true), axis=0).std())
    assert jitter[1] < 0.5 * jitter[0]
