"""Behavior of the video reader on damaged videos: `python -m studies.video_damage`.

Small videos of every codec that FFmpeg writes here are damaged at random places, and each frame that comes
back is compared with the same frame of the whole file. A file is *exact* if all frames are right, *named* if
what is not right is refused, *warned* if it is not but the log names the file, and *silent* if a frame comes
back that is another one or shows debris, without a word.
"""

import logging
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import torch

from datamodules.command_line import run
from datamodules.readers import UnreadableVideo, open_video

_FRAMES, _HEIGHT, _WIDTH = 40, 48, 64
_VISIBLE = 24  # gray levels by which a pixel must differ; less is not seen (our choice)
_TRIES = 12  # damaged copies of each kind
VERDICTS = ("exact", "named", "warned", "silent")

Damage = Callable[[Path, Path, np.random.Generator], None]

# name: file, coder, its options
CODECS: dict[str, tuple[str, str, dict[str, str]]] = {
    "H.264, mp4": ("h264.mp4", "libx264", {"preset": "veryfast", "g": "12"}),
    "H.264, mkv": ("h264.mkv", "libx264", {"preset": "veryfast", "g": "12"}),
    "H.264, ts": ("h264.ts", "libx264", {"preset": "veryfast", "g": "12"}),
    "H.264, avi": ("h264.avi", "libx264", {"preset": "veryfast", "g": "12", "bf": "0"}),
    "HEVC, mp4": ("hevc.mp4", "libx265", {"preset": "ultrafast", "x265-params": "keyint=12:log-level=none"}),
    "VP8, webm": ("vp8.webm", "libvpx", {"deadline": "realtime", "cpu-used": "8", "g": "12", "b": "300k"}),
    "VP9, webm": ("vp9.webm", "libvpx-vp9", {"deadline": "realtime", "cpu-used": "8", "g": "12"}),
    "VP9, mp4": ("vp9.mp4", "libvpx-vp9", {"deadline": "realtime", "cpu-used": "8", "g": "12"}),
    "AV1, mp4": ("av1.mp4", "libsvtav1", {"preset": "10", "g": "12", "svtav1-params": "lp=1"}),
    "MPEG-4, avi": ("mpeg4.avi", "mpeg4", {"g": "12", "bf": "2", "qscale": "3"}),
    "MPEG-4, mp4": ("mpeg4.mp4", "mpeg4", {"g": "12", "qscale": "3"}),
    "MPEG-2, ts": ("mpeg2.ts", "mpeg2video", {"g": "12", "bf": "2", "b": "800k"}),
    "MJPEG, avi": ("mjpeg.avi", "mjpeg", {"qscale": "3"}),
    "MJPEG, mov": ("mjpeg.mov", "mjpeg", {"qscale": "3"}),
    "WMV2, wmv": ("wmv2.wmv", "wmv2", {"g": "12", "b": "400k"}),
}


def main(*, tries: int = _TRIES) -> None:
    """Damage videos of every codec and print the table.

    Args:
        tries: Damaged copies of each codec and kind of damage.
    """
    av.logging.set_level(av.logging.PANIC)
    sys.stdout.write(page(campaign(list(CODECS), tries)))


def picture(number: int) -> np.ndarray:
    """Draw a texture that moves, uint8 (H, W, 3): every frame differs from every other."""
    y, x = np.mgrid[:_HEIGHT, :_WIDTH]
    wave = 90 * np.sin((x + 3 * number) / 5) + 30 * np.cos((y - 2 * number) / 3)
    gray = np.clip(128 + wave, 0, 255)
    gray[:8] = 16 + 5 * number  # a band that tells the frame
    return np.repeat(gray.astype(np.uint8)[..., None], 3, axis=2)


def write(path: Path, coder: str, options: dict[str, str]) -> None:
    """Write a whole video."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(coder, rate=25, options=options)
        stream.height, stream.width = _HEIGHT, _WIDTH
        stream.pix_fmt = "yuvj420p" if coder == "mjpeg" else "yuv420p"
        stream.codec_context.time_base = Fraction(1, 25)
        for number in range(_FRAMES):
            frame = av.VideoFrame.from_ndarray(picture(number), format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, 25)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def _inside(content: bytes | bytearray, rng: np.random.Generator) -> int:
    """A place behind the head of the file."""
    return int(rng.integers(len(content) // 5, len(content) - 100))


def bit_errors(source: Path, target: Path, rng: np.random.Generator) -> None:
    """Turn five bits over."""
    content = bytearray(source.read_bytes())
    for _ in range(5):
        content[_inside(content, rng)] ^= 1 << int(rng.integers(8))
    target.write_bytes(bytes(content))


def noise(source: Path, target: Path, rng: np.random.Generator) -> None:
    """Overwrite 100 bytes."""
    content = bytearray(source.read_bytes())
    at = _inside(content, rng)
    content[at : at + 100] = rng.bytes(100)
    target.write_bytes(bytes(content))


def hole(source: Path, target: Path, rng: np.random.Generator) -> None:
    """Take a tenth of the file out."""
    content = source.read_bytes()
    at = int(rng.integers(len(content) // 5, len(content) * 4 // 5))
    target.write_bytes(content[:at] + content[at + len(content) // 10 :])


def cut(source: Path, target: Path, rng: np.random.Generator) -> None:
    """Keep the beginning only."""
    content = source.read_bytes()
    target.write_bytes(content[: int(rng.integers(len(content) // 5, len(content) - 8))])


def dropped(source: Path, target: Path, rng: np.random.Generator) -> None:
    """Write the file again without two packets that follow each other, as a bad line does."""
    with av.open(str(source)) as whole, av.open(str(target), "w") as copy:
        stream = whole.streams.video[0]
        out = copy.add_stream_from_template(stream, opaque=True)
        first = int(rng.integers(3, _FRAMES - 4))
        for number, packet in enumerate(whole.demux(stream)):
            if packet.size and not first <= number < first + 2:
                packet.stream = out
                copy.mux(packet)


def untouched(source: Path, target: Path, rng: np.random.Generator) -> None:
    """Copy the file: what is refused here is refused wrongly."""
    target.write_bytes(source.read_bytes())


DAMAGES: dict[str, Damage] = {
    "whole": untouched,
    "bit errors": bit_errors,
    "noise": noise,
    "hole": hole,
    "cut": cut,
    "dropped packets": dropped,
}


def verdict(path: Path, whole: torch.Tensor, times: list[int]) -> str:
    """Say what the reader makes of a damaged copy: one of `VERDICTS`."""
    right = wrong = named = 0
    told = _Told()
    logging.getLogger("datamodules.readers").addHandler(told)
    try:
        with open_video(path) as video:
            for index in range(video.n_frames):
                try:
                    frame = video.frames([index])[0]
                except UnreadableVideo:
                    named += 1
                    continue
                expected = whole[times[index]] if index < len(times) else torch.zeros_like(frame)
                same = bool((frame.int() - expected.int()).abs().max() < _VISIBLE)
                right, wrong = right + same, wrong + (not same)
            named += video.n_frames < len(times)
    except UnreadableVideo:
        return "named"
    finally:
        logging.getLogger("datamodules.readers").removeHandler(told)
    if wrong:
        return "warned" if told.gap else "silent"
    return "named" if named else "exact"


class _Told(logging.Handler):
    """Remembers whether the log named the file: a gap, missing pictures, damage."""

    gap = False

    def emit(self, record: logging.LogRecord) -> None:
        self.gap = self.gap or any(word in record.getMessage() for word in ("gap", "missing", "damaged"))


def campaign(names: list[str], tries: int) -> dict[tuple[str, str], Counter[str]]:
    """Damage files of each codec in each way and count the verdicts."""
    counts: dict[tuple[str, str], Counter[str]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for name in names:
            file, coder, options = CODECS[name]
            source = Path(folder) / file
            write(source, coder, options)
            with open_video(source) as video:
                whole = video.frames(range(video.n_frames))
            for kind, damage in DAMAGES.items():
                counter = counts[name, kind] = Counter()
                for number in range(1 if kind == "whole" else tries):
                    rng = np.random.default_rng(number)
                    target = source.with_name(f"{kind.split()[0]}{number}_{file}")
                    damage(source, target, rng)
                    times = list(range(len(whole)))
                    # The frames that are left keep their times, and a stream may end early.
                    if kind == "dropped packets" or (kind == "cut" and target.suffix == ".ts"):
                        times = _left(source, target)
                    counter[verdict(target, whole, times)] += 1
                    target.unlink()
    return counts


def _left(source: Path, target: Path) -> list[int]:
    """Which frames of the whole file a copy without some packets still holds."""

    def times(path: Path) -> list[float]:
        with av.open(str(path)) as container:
            stream = container.streams.video[0]
            base = stream.time_base
            return sorted(
                float((packet.dts if path.suffix == ".avi" else packet.pts) * base)
                for packet in container.demux(stream)
                if packet.size
            )

    known, kept = times(source), times(target)
    shift = known[0] - kept[0]
    return [int(np.argmin(np.abs(np.array(known) - time - shift))) for time in kept]


def page(counts: dict[tuple[str, str], Counter[str]]) -> str:
    """Write the table as Markdown: exact / named / warned / silent."""
    kinds = list(DAMAGES)
    lines = ["| codec, container | " + " | ".join(kinds) + " |", "|---" * (len(kinds) + 1) + "|"]
    for name in dict.fromkeys(name for name, _ in counts):
        cells = (counts[name, kind] for kind in kinds)
        shown = (" / ".join(str(cell[word]) for word in VERDICTS) for cell in cells)
        lines.append(f"| {name} | " + " | ".join(shown) + " |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    raise SystemExit(run(main))
