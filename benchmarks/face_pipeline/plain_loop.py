"""The library calls of the face pipeline in a plain loop, each measured."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from time import process_time
from typing import Any

import av
import cv2
import numpy as np
from av.video.reformatter import VideoReformatter

from datamodules.readers.pyav import to_rgb
from datamodules.synthetic.video import h264
from preprocessing.faces.anchors import DETECTOR_SIDE
from preprocessing.faces.face import Frame
from preprocessing.faces.landmarks import EYE_SIDE, MESH_SIDE
from preprocessing.faces.networks import LitertNetworks
from preprocessing.models.files import DETECTOR, IRIS, MESH
from preprocessing.quality.texture import HEIGHT, WIDTH

SIZE, SEARCH_EVERY = 224, 15
_SMALL = 108  # pixels, where the face is 72 wide
_POINTS = np.random.default_rng(0).uniform(40, 180, (478, 2)).astype(np.float32)
_MAPS = np.meshgrid(*[np.linspace(20, 90, side, dtype=np.float32) for side in (WIDTH, HEIGHT)])


class PlainLoop:
    """The library calls alone.

    Attributes:
        seconds: CPU time by part, summed over calls.
    """

    def __init__(self) -> None:
        self._networks = LitertNetworks()
        self.seconds: dict[str, float] = defaultdict(float)

    def __call__(self, path: Path, clip: Path) -> int:
        """Both passes over a video; returns its frames."""
        count = 0
        for count, frame in enumerate(self._frames(path), 1):
            if count % SEARCH_EVERY == 1:
                self._measured("detector", self._invoke, DETECTOR.name, DETECTOR_SIDE, frame)
            self._measured("mesh", self._invoke, MESH.name, MESH_SIDE, frame)
            for _ in range(2):
                self._measured("irises", self._invoke, IRIS.name, EYE_SIDE, frame)
        crops = (self._checked(self._measured("crop", _cut, frame, SIZE)) for frame in self._frames(path))
        coding = h264(crf=18)
        with av.open(str(clip), "w") as target:
            stream = target.add_stream(coding.codec, rate=30, options=dict(coding.options))
            stream.width = stream.height = SIZE
            stream.codec_context.gop_size, stream.codec_context.thread_count = coding.gop, 1
            stream.pix_fmt = coding.pixels
            for crop in crops:
                self._measured("encoding", self._encode, target, stream, crop)
            target.mux(stream.encode(None))
        return count

    def _frames(self, path: Path) -> Iterator[Frame]:
        converter = VideoReformatter()
        with av.open(str(path)) as source:
            source.streams.video[0].codec_context.thread_count = 1
            frames = source.decode(video=0)
            while (frame := self._measured("decoding", next, frames, None)) is not None:
                yield self._measured("to RGB", to_rgb, frame, converter)

    def _checked(self, crop: Frame) -> Frame:
        self._measured("checks", _check, crop)
        return crop

    def _invoke(self, name: str, side: int, frame: Frame) -> None:
        self._networks._run(name, _cut(frame, side), 1 / 255, 0)

    def _encode(self, target: Any, stream: Any, crop: Frame) -> None:
        target.mux(stream.encode(av.VideoFrame.from_ndarray(crop, format="rgb24")))

    def _measured(self, part: str, work: Callable[..., Any], *args: Any) -> Any:
        start = process_time()
        found = work(*args)
        self.seconds[part] += process_time() - start
        return found


def _cut(frame: Frame, side: int) -> Frame:
    """A square of 240 pixels, about where the face is, at this side."""
    scale = side / 240
    matrix = np.array([[scale, 0, -200 * scale], [0, scale, -80 * scale]])
    return np.asarray(cv2.warpAffine(frame, matrix, (side, side)), np.uint8)


def _check(crop: Frame) -> None:
    """What OpenCV does to judge a crop: sharpness and light, the unrolled face, and what may hide it."""
    outline = cv2.convexHull(_POINTS).reshape(-1, 2)
    inside = cv2.fillPoly(np.zeros((SIZE, SIZE), np.uint8), [outline.astype(np.int32)], 1)
    gray = cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY)
    cv2.mean(gray, inside)
    small = cv2.resize(gray, (_SMALL, _SMALL), interpolation=cv2.INTER_AREA).astype(np.float32)
    cv2.fillPoly(np.zeros((_SMALL, _SMALL), np.uint8), [outline.astype(np.int32)], 1)
    cv2.Laplacian(small, cv2.CV_32F).var()
    texture = cv2.resize(crop, (_SMALL, _SMALL), interpolation=cv2.INTER_AREA)
    plane = cv2.remap(texture, _MAPS[0], _MAPS[1], cv2.INTER_LINEAR)[..., 0]
    light = np.log(plane.astype(np.float32) + 1)
    for width in (2.0, *[1.5] * 9, 2.5, 2.5):
        cv2.GaussianBlur(light, (0, 0), width, borderType=cv2.BORDER_REFLECT)
    cv2.medianBlur(plane, 3)
