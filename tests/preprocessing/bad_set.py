"""Videos as they come from clinics and phones: which must be used, and which refused, with what words.

The person is drawn, in a room of his or her own color; files are written with PyAV, here and now.
"""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from pathlib import Path

import av
import cv2
import numpy as np

from datamodules.synthetic.appearance import Appearance
from datamodules.synthetic.face import Placement, render
from datamodules.synthetic.latent import CHANNELS

HEIGHT, WIDTH = 240, 320
FRAMES = 30  # a little more than a second: shorter ones are warned of
Pictures = Iterator[np.ndarray]


@cache
def face(seed: int = 3, size: int = 200) -> np.ndarray:
    """A drawn face, not smiling, ``(size, size, 3)``."""
    return render(Appearance.draw(seed), np.zeros(len(CHANNELS), np.float32), size, Placement())


def room(height: int, width: int) -> np.ndarray:
    """A wall with a picture on it, and a table: no face."""
    rows, columns = np.mgrid[:height, :width]
    wall = np.stack([150 + rows * 30 // height, 140 + columns * 30 // width, 130 + 0 * rows], -1)
    wall[height // 8 : height // 4, width // 12 : width // 5] = 60, 90, 120
    wall[-height // 6 :] = 90, 60, 40
    return wall.astype(np.uint8)


def scene(
    frames: int = FRAMES,
    *,
    size: tuple[int, int] = (HEIGHT, WIDTH),
    share: float = 0.8,
    others: tuple[tuple[int, float, float], ...] = (),
    light: float = 1.0,
    blur: float = 0.0,
) -> Pictures:
    """A person who sways a little before a wall.

    Args:
        frames: How many.
        size: Height and width in pixels.
        share: Side of the picture of the face, as a share of the frame's height; 0 for nobody.
        others: Further persons: seed, share, place from the left.
        light: Factor on all pixels.
        blur: Standard deviation in pixels.
    """
    height, width = size
    persons = [*others, *([(3, share, 0.5)] if share else [])]
    for number in range(frames):
        picture = room(height, width)
        for seed, part, place in persons:
            side = max(round(part * height), 2)
            sway = round(0.02 * width * np.sin(number / 4 + seed))
            left = int(np.clip(place * width - side / 2 + sway, 0, width - side))
            head = cv2.resize(face(seed), (side, side), interpolation=cv2.INTER_AREA)
            picture[height - side :, left : left + side] = head
        if blur:
            picture = cv2.GaussianBlur(picture, (0, 0), blur)
        yield np.clip(picture * light, 0, 255).astype(np.uint8)


def encode(
    path: Path,
    pictures: Pictures,
    *,
    codec: str = "libx264",
    pixels: str = "yuv420p",
    options: dict[str, str] | None = None,
    container: dict[str, str] | None = None,
    rotation: int = 0,
    tags: dict[str, int] | None = None,
    ticks: Callable[[int], int] = lambda number: 40 * number,
    audio: bool = False,
) -> None:
    """Write frames; times are milliseconds."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w", options=container or {}) as file:
        sound = file.add_stream("aac", rate=16000, layout="mono") if audio else None
        stream = file.add_stream(codec, rate=25, options=options or {"preset": "ultrafast", "g": "12"})
        stream.codec_context.time_base = Fraction(1, 1000)
        if rotation:
            stream.set_display_rotation(rotation)
        for name, value in (tags or {}).items():
            setattr(stream.codec_context, name, value)
        stored = [np.ascontiguousarray(np.rot90(picture, -rotation // 90)) for picture in pictures]
        stream.height, stream.width, stream.pix_fmt = *stored[0].shape[:2], pixels
        if sound is not None:
            silence(file, sound)
        for number, turned in enumerate(stored):
            frame = av.VideoFrame.from_ndarray(turned, format="rgb24")
            frame.pts, frame.time_base = ticks(number), Fraction(1, 1000)
            file.mux(stream.encode(frame))
        file.mux(stream.encode(None))


def silence(file: "av.container.OutputContainer", stream: "av.AudioStream", blocks: int = 15) -> None:
    """A second of it."""
    for block in range(blocks):
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = 16000, block * 1024, Fraction(1, 16000)
        file.mux(stream.encode(frame))
    file.mux(stream.encode(None))


def _audio_only(path: Path) -> None:
    with av.open(str(path), "w") as file:
        silence(file, file.add_stream("aac", rate=16000, layout="mono"))


def _cut(path: Path, *, options: dict[str, str] | None = None, keep: float = 0.6) -> None:
    encode(path, scene(3 * FRAMES), container=options)
    os.truncate(path, int(keep * path.stat().st_size))


def _cut_behind_its_table(path: Path) -> None:
    _cut(path, options={"movflags": "faststart"})


def _noise(size: int) -> bytes:
    return np.random.default_rng(0).bytes(size)


def _damaged(path: Path, *, start: float = 0.6) -> None:
    """Noise from a place on to the end, as a bad card leaves."""
    encode(path, scene(3 * FRAMES), container={"movflags": "faststart"})
    content = path.read_bytes()
    first = int(start * len(content))
    path.write_bytes(content[:first] + _noise(len(content) - first))


def _one_pixel(path: Path) -> None:
    encode(path, scene(size=(1, 1), share=0.0), codec="ffv1", pixels="bgr0", options={})


def _no_packets(path: Path) -> None:
    """A file whose table of contents promises a video that has no frame."""
    with av.open(str(path), "w", options={"movflags": "empty_moov+frag_keyframe"}) as file:
        stream = file.add_stream("libx264", rate=25)
        stream.height, stream.width, stream.pix_fmt = HEIGHT, WIDTH, "yuv420p"
        file.start_encoding()


def _picture(path: Path) -> None:
    path.write_bytes(cv2.imencode(".png", face())[1].tobytes())


_HDR = {"color_primaries": 9, "color_trc": 16, "colorspace": 9, "color_range": 1}  # BT.2020, PQ
_HEVC = {"preset": "ultrafast", "x265-params": "log-level=none:keyint=12"}
_VP9 = {"deadline": "realtime", "cpu-used": "8", "b": "300k", "g": "20"}


@dataclass(frozen=True)
class Case:
    """A file, what must become of it, and what must be said of it (a regular expression)."""

    write: Callable[[Path], object]
    status: str = "used"
    said: str = ""
    frames: int = FRAMES


def _video(status: str = "used", said: str = "", frames: int = FRAMES, **how: object) -> Case:
    made = {name: how.pop(name) for name in ("size", "share", "others", "light", "blur") if name in how}
    return Case(lambda path: encode(path, scene(frames, **made), **how), status, said, frames)


def _irregular(number: int) -> int:
    return 40 * number + 13 * (number % 3) + 400 * (number // 17)


CASES: dict[str, Case] = {
    "plain.mp4": _video(),
    # used
    "rotated 90.mp4": _video(rotation=90),
    "rotated 180.mp4": _video(rotation=180),
    "rotated 270.mov": _video(rotation=-90),
    "hdr hevc.mp4": _video(codec="libx265", pixels="yuv420p10le", options=_HEVC, tags=_HDR),
    "hdr h264.mp4": _video(pixels="yuv420p10le", tags=_HDR),
    "variable rate.mp4": _video(ticks=_irregular),
    "no duration.webm": _video(codec="libvpx-vp9", options=_VP9, container={"live": "1"}),
    "Gespräch Łódź 面接.mp4": _video(),
    "<b>bold & 'quoted'.mp4": _video(),
    "two faces.mp4": _video("warned", "a second face is seen in 30 of 30 frames", others=((5, 0.4, 0.15),)),
    "three frames.mp4": _video("warned", "3 frames", frames=3),
    "one frame.mp4": _video("warned", "1 frame", frames=1),
    "picture.mp4": Case(_picture, "warned", "1 frame", 1),  # FFmpeg takes a picture for a video of one frame
    "odd size.mp4": _video(size=(241, 319), pixels="yuv444p"),
    "audio first.mp4": _video(audio=True),
    "interlaced.mp4": _video(options={"preset": "ultrafast", "x264-params": "tff=1"}),
    "portrait.mp4": _video(size=(400, 300), share=0.5),
    "a/same.mp4": _video(),
    "b/same.mp4": _video(),
    "b/same.mkv": _video(),
    "....mp4": _video(),
    # refused
    "nobody.mp4": _video("refused", "no face", share=0.0),
    "tiny.mp4": _video("refused", "no face|small", size=(480, 640), share=0.06),
    "dark.mp4": _video("refused", "dark|no face", light=0.03),
    "blurred.mp4": _video("refused", "blurred", blur=5.0),
    "cut short.mp4": Case(_cut_behind_its_table, "refused", r"truncated.*\d\.\d s.*frame \d+"),
    "cut before its table.mp4": Case(_cut, "refused", r"table of contents .* cut off"),
    "cut.mkv": Case(_cut, "refused", r"ends at.*\d\.\d s.*frame \d+"),
    "damaged.mp4": Case(_damaged, "refused", r"\d\.\d s.*frame \d+"),
    "text.mp4": Case(lambda path: path.write_text("Dear all,\n" * 90), "refused", "it is text"),
    "noise.mp4": Case(lambda path: path.write_bytes(_noise(9999)), "refused", "no kind of video"),
    "empty.mp4": Case(lambda path: path.write_bytes(b""), "refused", "the file is empty"),
    "audio only.mp4": Case(_audio_only, "refused", "no video"),
    "no packets.mp4": Case(_no_packets, "refused", "no frame"),
    "one pixel.mkv": Case(_one_pixel, "refused", "no face|small"),
}  # fmt: skip


def write(name: str, folder: Path) -> Path:
    """Write a file of the set into a folder and return its path."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    CASES[name].write(path)
    return path
