"""Tiny videos whose pixels carry their frame number, one for each way in which readers go wrong.

A frame is a grid of 4 x 6 black and white blocks: a white one, 10 bits of the number, a white one, and
the complement of these 12 blocks (upside down, the first block would be black). Numbers are Gray coded,
so that neighbors differ in one block and its complement: coders copy the rest from other frames, and a
wrong or missing reference frame shows.
"""

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from torch import Tensor

BITS = 12
HEIGHT, WIDTH = 64, 96


def draw(number: int, height: int = HEIGHT, width: int = WIDTH) -> np.ndarray:
    """Return the picture of a number, uint8 (height, width, 3)."""
    gray = number ^ (number >> 1)
    bits = [1, *((gray >> place) & 1 for place in range(BITS - 2)), 1]
    grid = np.array(bits + [1 - bit for bit in bits]).reshape(4, 6)
    rows = np.arange(height) * 4 // height
    columns = np.arange(width) * 6 // width
    picture = np.where(grid[np.ix_(rows, columns)], 215, 40).astype(np.uint8)
    return np.stack([picture, picture // 2 + 60, picture], axis=-1)  # some color, so planes cannot be swapped


def number_of(frame: Tensor) -> int | None:
    """Read the number of a frame (3, H, W); None if it is not upright or damaged."""
    picture = frame[0].float().numpy()
    height, width = picture.shape
    grid = np.empty((4, 6), dtype=int)
    for row in range(4):
        for column in range(6):
            y, x = int((row + 0.5) * height / 4), int((column + 0.5) * width / 6)
            grid[row, column] = picture[y - 3 : y + 3, x - 3 : x + 3].mean() > 128
    bits = grid.reshape(2, BITS)
    if bits[0, 0] != 1 or bits[0, -1] != 1 or (bits.sum(axis=0) != 1).any():
        return None
    gray = sum(int(bit) << place for place, bit in enumerate(bits[0, 1:-1]))
    number = 0
    while gray:
        number ^= gray
        gray >>= 1
    return number


@dataclass(frozen=True)
class Recipe:
    """How to write one video."""

    file: str
    codec: str = "libx264"
    frames: int = 60
    first: int = 0  # number carried by the first shown frame
    pix_fmt: str = "yuv420p"
    size: tuple[int, int] = (HEIGHT, WIDTH)
    codec_options: dict[str, str] = field(default_factory=dict)
    container_options: dict[str, str] = field(default_factory=dict)
    container: str | None = None
    rotation: int = 0
    mirrored: bool = False
    ticks: Callable[[int], int] = lambda number: 40 * number  # milliseconds
    audio_first: bool = False
    edit: Callable[[Path], None] | None = None


def _x264(**options: object) -> dict[str, str]:
    merged = {"scenecut": 0, "keyint": 12, "min-keyint": 12, "bframes": 3, "b-adapt": 0, **options}
    return {
        "preset": "ultrafast",
        "x264-params": ":".join(f"{k.replace('_', '-')}={v}" for k, v in merged.items()),
    }


def _irregular(number: int) -> int:
    return 40 * number + 13 * (number % 3) + 400 * (number // 17)


def write(recipe: Recipe, folder: Path) -> Path:
    """Write a video and return its path."""
    path = folder / recipe.file
    turned = recipe.rotation % 180 != 0
    height, width = recipe.size
    stored = (width, height) if turned else (height, width)
    with av.open(str(path), "w", format=recipe.container, options=recipe.container_options) as container:
        audio = container.add_stream("aac", rate=16000, layout="mono") if recipe.audio_first else None
        stream = container.add_stream(recipe.codec, rate=25, options=recipe.codec_options)
        stream.height, stream.width, stream.pix_fmt = *stored, recipe.pix_fmt
        # Coders that know no variable rate get frame numbers as times, all others milliseconds.
        fixed_rate = recipe.codec in {"mpeg4", "mjpeg"}
        stream.codec_context.time_base = Fraction(1, 25) if fixed_rate else Fraction(1, 1000)
        if recipe.rotation or recipe.mirrored:
            stream.set_display_rotation(recipe.rotation, hflip=recipe.mirrored)
        if audio is not None:
            _silence(container, audio, blocks=recipe.frames * 40 * 16 // 1024)
        for number in range(recipe.frames):
            picture = np.ascontiguousarray(np.rot90(draw(number, height, width), -recipe.rotation // 90))
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts = number if fixed_rate else recipe.ticks(number)
            frame.time_base = stream.codec_context.time_base
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    if recipe.edit is not None:
        recipe.edit(path)
    return path


def _silence(container: "av.container.OutputContainer", stream: "av.AudioStream", *, blocks: int) -> None:
    for block in range(blocks):
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = 16000, block * 1024, Fraction(1, 16000)
        container.mux(stream.encode(frame))
    container.mux(stream.encode(None))


def _cut_head(path: Path) -> None:
    """Copy the packets so that the first 6 frames lie before time 0: players hide them."""
    whole = path.rename(path.with_suffix(".whole.mp4"))
    with av.open(str(whole)) as source, av.open(str(path), "w") as target:
        stream = source.streams.video[0]
        copy = target.add_stream_from_template(stream)
        shift = round(6 * 0.040 / stream.time_base)
        for packet in source.demux(stream):
            if packet.size:
                packet.pts, packet.dts, packet.stream = packet.pts - shift, packet.dts - shift, copy
                target.mux(packet)
    whole.unlink()


def _cut_tail(path: Path) -> None:
    """Shorten the edit list entry so that players stop after 1.6 s: 40 frames."""
    content = bytearray(path.read_bytes())
    entry = content.index(b"elst") + 4 + 4 + 4  # version and flags, number of entries
    struct.pack_into(">I", content, entry, 1600)
    path.write_bytes(bytes(content))


RECIPES: dict[str, Recipe] = {
    "b_frames": Recipe("b_frames.mp4", codec_options=_x264()),
    "no_b_frames": Recipe("no_b_frames.mp4", codec_options=_x264(bframes=0)),
    "long_gop": Recipe("long_gop.mp4", frames=90, codec_options=_x264(keyint=250, min_keyint=250)),
    "open_gop": Recipe(
        "open_gop.mp4", frames=90, codec_options=_x264(bframes=5, open_gop=1, b_pyramid="normal")
    ),
    "hevc": Recipe(
        "hevc.mp4",
        codec="libx265",
        codec_options={
            "preset": "ultrafast",
            "x265-params": "keyint=12:min-keyint=12:bframes=4:log-level=none",
        },
    ),
    "odd_size": Recipe("odd_size.mp4", size=(61, 95), pix_fmt="yuv444p", codec_options=_x264()),
    "even_size": Recipe("even_size.mp4", size=(66, 98), codec_options=_x264()),
    "ten_bit": Recipe("ten_bit.mp4", pix_fmt="yuv420p10le", codec_options=_x264()),
    "interlaced": Recipe("interlaced.mp4", codec_options=_x264(tff=1)),
    "rotated_90": Recipe("rotated_90.mp4", rotation=90, codec_options=_x264()),
    "rotated_180": Recipe("rotated_180.mp4", rotation=180, codec_options=_x264()),
    "rotated_270": Recipe("rotated_270.mov", rotation=-90, codec_options=_x264()),
    "variable_rate": Recipe("variable_rate.mp4", ticks=_irregular, codec_options=_x264()),
    "edit_head": Recipe("edit_head.mp4", first=6, codec_options=_x264(), edit=_cut_head),
    "edit_tail": Recipe("edit_tail.mp4", codec_options=_x264(), edit=_cut_tail),
    "fragmented": Recipe(
        "fragmented.mp4",
        codec_options=_x264(),
        container_options={"movflags": "frag_keyframe+empty_moov+default_base_moof"},
    ),
    "late_start": Recipe("late_start.mp4", ticks=lambda n: 2000 + 40 * n, codec_options=_x264()),
    "audio_first": Recipe("audio_first.mp4", audio_first=True, codec_options=_x264()),
    "matroska": Recipe("matroska.mkv", codec_options=_x264()),
    "matroska_open_gop": Recipe("open_gop.mkv", frames=90, codec_options=_x264(bframes=5, open_gop=1)),
    "mpeg_ts": Recipe("mpeg_ts.ts", frames=90, codec_options=_x264()),
    "raw_stream": Recipe("raw_stream.h264", container="h264", codec_options=_x264()),
    "xvid_avi": Recipe(
        "xvid_avi.avi", codec="mpeg4", codec_options={"bf": "2", "g": "12", "qscale": "3", "flags": "+qscale"}
    ),
    "mjpeg_avi": Recipe("mjpeg_avi.avi", codec="mjpeg", pix_fmt="yuvj420p"),
    "vp8_hidden": Recipe(
        "vp8.webm",
        codec="libvpx",
        codec_options={
            "auto-alt-ref": "1",
            "lag-in-frames": "16",
            "deadline": "good",
            "cpu-used": "5",
            "b": "100000",
            "g": "30",
        },
    ),
    "vp9": Recipe(
        "vp9.webm",
        codec="libvpx-vp9",
        codec_options={
            "deadline": "realtime",
            "cpu-used": "8",
            "b": "300000",
            "g": "20",
            "lag-in-frames": "10",
        },
    ),
    "av1": Recipe(
        "av1.mp4",
        codec="libsvtav1",
        codec_options={"preset": "8", "crf": "1", "g": "20", "svtav1-params": "lp=1"},
    ),
    "three_frames": Recipe("three_frames.mp4", frames=3, codec_options=_x264()),
    "one_frame": Recipe("one_frame.mp4", frames=1, codec_options=_x264()),
}


def requests(n_frames: int, seed: int = 0) -> Iterator[list[int]]:
    """Yield the ways a clip is asked for: in sequence, strided, at random, repeated, the last frame."""
    rng = np.random.default_rng(seed)
    yield list(range(n_frames))
    yield [n_frames - 1]
    yield [0]
    yield [n_frames // 2, n_frames // 2, 0, 0, n_frames - 1]
    for _ in range(4):
        start = int(rng.integers(n_frames))
        yield [min(start + 4 * step, n_frames - 1) for step in range(8)]
        yield rng.integers(n_frames, size=6).tolist()
        yield [int(rng.integers(n_frames))]


def mismatches(reader: object, first: int) -> list[tuple[int, int | None]]:
    """Return (number asked for, number that came back) wherever a reader is not exact."""
    return [
        (first + index, found)
        for wanted in requests(reader.n_frames)
        for index, found in zip(wanted, map(number_of, reader.frames(wanted)), strict=True)
        if found != first + index
    ]


def noise(path: Path, *, at: float, size: int = 400) -> Path:
    """Copy a file with random bytes in it, from the share `at` of its length on."""
    content = bytearray(path.read_bytes())
    start = int(at * len(content))
    content[start : start + size] = np.random.default_rng(0).bytes(size)
    copy = path.with_name(f"noise_{path.name}")
    copy.write_bytes(bytes(content[: path.stat().st_size]))
    return copy


def packets_of(path: Path) -> list[tuple[int, int, bool]]:
    """Return (position, size, whether it is a keyframe) of every video packet, in decoding order."""
    with av.open(str(path)) as container:
        packets = container.demux(container.streams.best("video"))
        return [(packet.pos, packet.size, packet.is_keyframe) for packet in packets if packet.size]


DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "noise": lambda packet: np.random.default_rng(0).bytes(len(packet)),
    "zeros": lambda packet: bytes(len(packet)),
    # The head stays, so FFmpeg still takes the packet for what it was and paints over what it cannot decode.
    "second half": lambda packet: (
        packet[: len(packet) // 2] + np.random.default_rng(0).bytes(len(packet) - len(packet) // 2)
    ),
}


def damaged(path: Path, numbers: range, kind: str) -> Path:
    """Copy a video with some of its packets overwritten."""
    content = bytearray(path.read_bytes())
    for position, size, _ in packets_of(path)[numbers.start : numbers.stop]:
        content[position : position + size] = DAMAGES[kind](bytes(content[position : position + size]))
    copy = path.with_name(f"{path.stem}_{numbers.start}_{numbers.stop}_{kind.replace(' ', '_')}{path.suffix}")
    copy.write_bytes(bytes(content))
    return copy


def truncated(path: Path, *, keep: float) -> Path:
    """Copy the first share `keep` of a file."""
    copy = path.with_name(f"truncated_{path.name}")
    copy.write_bytes(path.read_bytes()[: int(keep * path.stat().st_size)])
    return copy
