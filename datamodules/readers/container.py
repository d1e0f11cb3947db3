"""Opening of video containers with PyAV, the same way for indexing, reading and cutting."""

from pathlib import Path

import av

from datamodules.readers.errors import unreadable

_TEXT_CONTAINERS = {"tty", "bin", "xbin", "adf", "idf"}  # FFmpeg draws text files as video
_PLAYLISTS = {
    "concat",
    "hls",
    "dash",
    "imf",
    "sdp",
    "rtsp",
    "webm_dash_manifest",
}  # text that names other files


def open_container(path: Path, *, ignore_edits: bool = False) -> "av.container.InputContainer":
    """Open a file for reading; nothing but local files is ever followed."""
    options = {"protocol_whitelist": "file"} | ({"ignore_editlist": "1"} if ignore_edits else {})
    # Cameras write names in codings of their own; nothing here reads them.
    return av.open(str(path), options=options, metadata_errors="replace")


# Told to explode, FFmpeg stops at damage instead of painting over it; told to check sums, it compares those
# that HEVC and FFV1 may carry.
STRICT = "crccheck+explode"
# Also compares the end of a picture with the end of its data, where coders write no stuffing.
STRICTER = STRICT + "+buffer"


def video_stream(
    container: "av.container.InputContainer", name: str, *, checks: str = STRICT
) -> "av.video.stream.VideoStream":
    """Return the stream a player would show (cover pictures are no video), set up for strict decoding.

    Args:
        container: The open file.
        name: What error messages call it.
        checks: FFmpeg's `err_detect`.

    Raises:
        UnreadableVideo: if there is none, or if FFmpeg took a text file for one.
    """
    if container.format.name in _PLAYLISTS:
        raise unreadable(
            name, "it is a list of other files; list them in the manifest, or join them with ffmpeg"
        )
    stream = container.streams.best("video")
    if stream is None or stream.codec_context is None or container.format.name in _TEXT_CONTAINERS:
        raise unreadable(name, "it holds no video stream that FFmpeg can decode")
    stream.codec_context.thread_count = 1  # workers already use every core
    stream.codec_context.options = {"err_detect": checks}
    return stream


def is_end(packet: "av.Packet") -> bool:
    """Whether a packet is the mark with which a demuxer ends: it has no data, not even empty data."""
    return packet.size == 0 and not packet.buffer_ptr


def decode(packet: "av.Packet") -> "list[av.VideoFrame] | None":
    """Decode a packet; None if it is damaged: by an error, or by the flags of a frame.

    An empty one says that the picture before stays (Theora): no frame of its own, and no decoder takes it.
    FFmpeg's messages are not asked: in 321 damaged files they told nothing of use that these two did not
    (decision 0022), and PyAV gives them to the whole process, with a deadlock where a decoder has threads.
    """
    if packet.size == 0 and not is_end(packet):
        return []
    try:
        frames: list[av.VideoFrame] = packet.decode()
    except av.error.InvalidDataError:
        return None
    for frame in frames:  # no generator: this runs for every frame of every video
        if frame.is_corrupt:
            return None
    return frames
