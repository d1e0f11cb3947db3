"""Exact frames from video files: a reader returns the frame that was asked for, or refuses the file."""

from .device import DeviceDecoder
from .opening import open_video
from .prefetch import Prefetch
from .protocol import UnreadableVideo, UnsupportedVideo, VideoReader, open_readers
from .slices import EncodedClip
from .source import VideoSource

__all__ = [
    "DeviceDecoder",
    "EncodedClip",
    "Prefetch",
    "UnreadableVideo",
    "UnsupportedVideo",
    "VideoReader",
    "VideoSource",
    "open_readers",
    "open_video",
]
