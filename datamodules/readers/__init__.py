"""Video readers that are exact to the frame: they return the requested frames or refuse the file."""

from datamodules.readers.device import DeviceDecoder
from datamodules.readers.errors import UnreadableVideo, UnsupportedVideo
from datamodules.readers.opening import open_video
from datamodules.readers.prefetch import Prefetch
from datamodules.readers.slices import EncodedClip
from datamodules.readers.video_reader import VideoReader
from datamodules.readers.video_source import VideoSource

__all__ = [
    "DeviceDecoder",
    "EncodedClip",
    "Prefetch",
    "UnreadableVideo",
    "UnsupportedVideo",
    "VideoReader",
    "VideoSource",
    "open_video",
]
