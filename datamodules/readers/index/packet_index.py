"""The `PacketIndex` record: what is known of a video file before a frame of it is decoded."""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np


@dataclass(frozen=True)
class PacketIndex:
    """What one pass over the packets of a video says.

    Attributes:
        pts: presentation times of the shown frames, ascending, in units of `time_base`; positions only
            when `timed` is False.
        keys: presentation times of the keyframes, ascending.
        timed: whether frames can be told apart by their times; otherwise they are counted from the start.
        time_base: seconds per tick.
        fps: mean frame rate in 1/s.
        height: pixels, upright.
        width: pixels, upright.
        rotation: degrees, counterclockwise, by which a stored frame is turned to stand upright.
        stream: index of the video stream.
        codec: FFmpeg's name of the codec.
        container: FFmpeg's name of the container format.
        bits: bits per color of a decoded frame.
        interlaced: whether a frame holds two fields taken at different times.
        open_gop: whether frames precede their keyframe in presentation order.
        refresh: whether a keyframe is no fresh start of H.264: frames behind it may lean on earlier ones.
        split: whether a packet holds only a field, or something that is not shown.
        edited: whether an edit list hides or rearranges frames.
        remarks: what speaks against the file although its frames may be right, a sentence each.
    """

    pts: np.ndarray
    keys: np.ndarray
    timed: bool
    time_base: Fraction
    fps: float
    height: int
    width: int
    rotation: int
    stream: int
    codec: str
    container: str
    bits: int
    interlaced: bool
    open_gop: bool
    refresh: bool
    split: bool
    edited: bool
    remarks: tuple[str, ...]

    @property
    def n_frames(self) -> int:
        """Number of shown frames."""
        return len(self.pts)
