"""Exact frames from video files: a reader returns the frame that was asked for, or refuses the file."""

from .opening import open_video
from .protocol import UnreadableVideo, UnsupportedVideo, VideoReader, open_readers
from .source import VideoSource

__all__ = ["UnreadableVideo", "UnsupportedVideo", "VideoReader", "VideoSource", "open_readers", "open_video"]
