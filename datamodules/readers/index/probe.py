"""Probe of a video file: decodes its first frames, which say how the others are coded and displayed."""

import struct
from pathlib import Path

import av

from datamodules.readers.container import decode, is_end, open_container, video_stream
from datamodules.readers.errors import UnsupportedVideo

# Packets decoded when a file is first met: more than coders reorder (our choice).
_OPENING = 20


def probe(path: Path) -> tuple[list["av.VideoFrame"], bool]:
    """Decode the first packets that may give frames.

    Those that an edit list hides and those before the first keyframe are decoded too, but do not count: an
    editor that cuts without re-encoding leaves up to a whole group of pictures there.

    Returns:
        Their frames, and whether each packet gave one.
    """
    frames: list[av.VideoFrame] = []
    shown, counted, begun, intact, ended = 0, 0, False, True, False
    with open_container(path) as container:
        stream = video_stream(container, str(path))
        for packet in container.demux(stream):
            decoded = decode(packet)
            begun = begun or packet.is_keyframe
            visible = packet.size > 0 and not packet.is_discard
            shown, counted = shown + visible, counted + (visible and begun)
            intact, ended = intact and decoded is not None, is_end(packet)
            frames.extend(decoded or [])
            if max(counted, len(frames)) >= _OPENING:
                break
        if intact and not ended:
            frames.extend(stream.codec_context.decode(None))  # pictures that wait for reordering
    return frames, not intact or len(frames) == shown


def check_fields(path: Path, codec: str, opening: list["av.VideoFrame"]) -> None:
    """Refuse HEVC whose pictures are fields: FFmpeg joins those of other codecs only.

    Raises:
        UnsupportedVideo: saying how to re-encode it.
    """
    if codec == "hevc" and any(frame.interlaced_frame for frame in opening):
        raise UnsupportedVideo(
            f"{path}: each of its pictures is one field, half the lines of a frame (field-coded HEVC), "
            "and no reader joins them. Re-encode it: ffmpeg -i IN -vf weave,yadif -c:v libx264 OUT.mp4."
        )


def quarter_turns(path: Path, frame: "av.VideoFrame") -> int:
    """Return the display rotation in degrees, counterclockwise.

    Raises:
        UnsupportedVideo: if the file is displayed at an angle or mirrored, which no reader carries out.
    """
    matrices = (bytes(data) for data in frame.side_data if data.type.name == "DISPLAYMATRIX")
    for a, b, _, c, d, *_ in (struct.unpack("<9i", matrix) for matrix in matrices):
        if a * d - b * c < 0:
            raise UnsupportedVideo(f"{path}: is displayed mirrored. Re-encode it: ffmpeg mirrors by itself.")
    if frame.rotation % 90:
        raise UnsupportedVideo(
            f"{path}: is displayed at an angle of {frame.rotation} degrees, and only quarter turns are "
            "supported. Re-encode it upright: ffmpeg turns by itself."
        )
    return int(frame.rotation) % 360
