"""Regions of aligned faces: the mosaic, and that its boxes hold what they are named after."""

import numpy as np
import pytest
import torch
from torch.nn import functional

from datamodules.clips.regions import REGIONS, RegionClips, mosaic, scaled
from datamodules.readers import VideoSource
from datamodules.synthetic.appearance import Appearance
from preprocessing.alignment.aligner import Aligner, in_crop
from preprocessing.faces.topology import IBUG68
from tests.preprocessing.drawn_faces import behavior, points_of, track_of, wander

GROUPS = {
    "brows": (*IBUG68.right_brow, *IBUG68.left_brow),
    "eyes": (*IBUG68.right_eye, *IBUG68.left_eye),
    "nose": IBUG68.nose,
    "mouth": (*IBUG68.mouth, *IBUG68.lips),
}


def test_each_quarter_is_its_region_stretched():
    frames = torch.randint(0, 256, (3, 3, 200, 200), dtype=torch.uint8)
    found = mosaic(frames)
    assert found.shape == frames.shape
    assert found.dtype == torch.uint8
    quarters = [
        found[..., :100, :100],
        found[..., :100, 100:],
        found[..., 100:, :100],
        found[..., 100:, 100:],
    ]
    for quarter, (left, top, right, bottom) in zip(quarters, REGIONS.values(), strict=True):
        part = frames[..., round(top * 200) : round(bottom * 200), round(left * 200) : round(right * 200)]
        expected = functional.interpolate(part.float(), (100, 100), mode="bilinear", antialias=True)
        assert (quarter.float() - expected).abs().max() <= 0.5


def test_odd_pictures_and_coded_packets_are_refused():
    with pytest.raises(ValueError, match="even sides"):
        mosaic(torch.zeros(1, 3, 65, 64, dtype=torch.uint8))
    with pytest.raises(ValueError, match="decode=worker"):
        RegionClips(video=VideoSource(height=64, width=64, decode="device"))


@pytest.mark.parametrize("margin", [0.25, 0.4])
def test_the_boxes_hold_their_landmarks_through_expressions_talk_and_pose(margin):
    rng, total = np.random.default_rng(0), 150
    inside = {name: [] for name in GROUPS}
    for seed in range(8):
        units = ("au01", "au02", "au04", "au12", "au15", "au17", "au20", "au25", "au26")
        channels = {name: np.clip(2.5 + wander(rng, total, 1.8), 0, 5) for name in units}
        channels |= {name: wander(rng, total, 0.12) for name in ("pose_yaw", "pose_pitch", "pose_roll")}
        points = points_of(Appearance.draw(seed), behavior(total, **channels), 300)
        matrices = Aligner(size=128, margin=margin).matrices(track_of(points), np.arange(total) / 25)
        for row, matrix in zip(points, matrices, strict=True):
            places = (in_crop(row, matrix) + 0.5) / 128
            for name, numbers in GROUPS.items():
                left, top, right, bottom = scaled(REGIONS[name], margin=margin)
                some = places[list(numbers)]
                inside[name].append(((some > (left, top)) & (some < (right, bottom))).all())
    assert {name: np.mean(held) >= 0.99 for name, held in inside.items()} == dict.fromkeys(GROUPS, True)


def test_a_box_of_the_usual_margin_stays_as_it_is():
    assert scaled(REGIONS["eyes"], margin=0.25) == pytest.approx(REGIONS["eyes"])
    assert scaled((0.0, 0.0, 1.0, 1.0), margin=0.0) == (0.0, 0.0, 1.0, 1.0)
