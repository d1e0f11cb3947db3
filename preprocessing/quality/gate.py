"""The gate: which frames are used, and for what reason each other one is not."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from preprocessing.quality.crop_facts import CropFacts
from preprocessing.quality.occlusion import hidden_shares
from preprocessing.quality.pose import turned
from preprocessing.quality.texture import unroll
from preprocessing.tracking.track import Track

BoolArray = NDArray[np.bool_]

REASONS = ("no face", "small", "cut off", "blurred", "dark", "bright", "turned", "hidden", "jump")
"""Why a frame is not used, as the pages and tables name it."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Verdict:
    """Which frames of a recording are used.

    Attributes:
        reasons: for each of `REASONS` the frames ``(T,)`` that it speaks against.
    """

    reasons: Mapping[str, BoolArray]

    @property
    def usable(self) -> BoolArray:
        """Frames ``(T,)`` that nothing speaks against."""
        return np.asarray(~np.any(list(self.reasons.values()), axis=0))


class QualityGate:
    """Thresholds that a frame must pass. All are our choice, set on real and drawn faces.

    A frame without a face has that one reason; a frame that is blurred, dark or glaring is not asked what
    hides the face.

    Args:
        min_confidence: Lowest confidence that there is a face.
        min_width: Smallest width of the face in pixels.
        min_share: Smallest width of the face as a share of the frame's longer side.
        max_outside: Largest share of the landmarks beyond the frame's border.
        min_sharpness: Smallest `CropFacts.sharpness`. A Gaussian blur whose sigma is 1, 2, 3 and 5 % of the
            face's width leaves about 80, 22, 9 and 4 of the 130 to 330 of sharp real faces.
        luminance: Smallest and largest mean of the face, 0 to 1.
        max_burnt: Largest share of the face that is white: brows, eyes and lips keep the mean of a face down
            whose skin the light has burnt out.
        max_yaw: Largest turn to a side in degrees.
        max_pitch: Largest nod from the person's own median in degrees.
        max_hidden: Largest share of the face that may be hidden.

    Raises:
        ValueError: A threshold has no meaning.
    """

    def __init__(
        self,
        *,
        min_confidence: float = 0.5,
        min_width: float = 48,
        min_share: float = 0.08,
        max_outside: float = 0.1,
        min_sharpness: float = 20,
        luminance: tuple[float, float] = (0.12, 0.92),
        max_burnt: float = 0.5,
        max_yaw: float = 45,
        max_pitch: float = 35,
        max_hidden: float = 0.3,
    ) -> None:
        shares = {"min_confidence": min_confidence, "min_share": min_share, "max_outside": max_outside}
        shares |= {"max_hidden": max_hidden, "max_burnt": max_burnt}
        shares |= {"luminance[0]": luminance[0], "luminance[1]": luminance[1]}
        if wrong := {name: value for name, value in shares.items() if not 0 <= value <= 1}:
            raise ValueError(f"{wrong} of the quality gate: shares and luminances lie between 0 and 1")
        if not (0 < max_yaw < 90 and 0 < max_pitch < 90):
            raise ValueError(f"max_yaw={max_yaw} and max_pitch={max_pitch}: degrees between 0 and 90")
        self.min_confidence, self.min_width, self.min_share = min_confidence, min_width, min_share
        self.max_outside, self.min_sharpness, self.luminance = max_outside, min_sharpness, tuple(luminance)
        self.max_yaw, self.max_pitch, self.max_hidden = max_yaw, max_pitch, max_hidden
        self.max_burnt = max_burnt

    def __call__(
        self, track: Track, facts: Sequence[CropFacts | None], seconds: NDArray[np.float64]
    ) -> Verdict:
        """Judge all frames of a recording.

        Args:
            track: The person.
            facts: Of each frame's crop ``(T)``; None where there is none.
            seconds: Times of the frames ``(T,)``.

        Raises:
            ValueError: Track, facts and times differ in length.
        """
        if not len(facts) == len(seconds) == len(track.confidence):
            raise ValueError(
                f"{len(track.confidence)} frames, {len(facts)} facts, {len(seconds)} times: give one each"
            )
        measured = np.array([fact is not None for fact in facts], dtype=bool)
        face = track.found & (track.confidence >= self.min_confidence) & measured
        reasons = {"no face": ~face} | {name: face & bad for name, bad in self._geometry(track).items()}
        reasons |= {name: face & bad for name, bad in self._picture(facts).items()}
        clear = face & ~reasons["blurred"] & ~reasons["dark"] & ~reasons["bright"]
        reasons["hidden"] = self._hidden(track, facts, clear)
        return Verdict(reasons={reason: reasons[reason] for reason in REASONS})

    def _geometry(self, track: Track) -> dict[str, BoolArray]:
        """What place, size, pose and path of the face speak against."""
        with np.errstate(invalid="ignore"):
            width = track.boxes[:, 2] - track.boxes[:, 0]
            least = max(self.min_width, self.min_share * max(track.width, track.height))
            x, y = track.landmarks[..., 0], track.landmarks[..., 1]
            outside = (x < 0) | (y < 0) | (x > track.width - 1) | (y > track.height - 1)
            yaw, pitch = turned(track.landmarks, track.topology)
            over = (np.abs(yaw) > math.radians(self.max_yaw)) | (np.abs(pitch) > math.radians(self.max_pitch))
            return {
                "small": np.asarray(width < least),
                "cut off": np.asarray(outside.mean(axis=1) > self.max_outside),
                "turned": np.asarray(over),
                "jump": track.jumped,
            }

    def _picture(self, facts: Sequence[CropFacts | None]) -> dict[str, BoolArray]:
        """What sharpness and light speak against."""
        sharpness = np.array([fact.sharpness if fact else np.nan for fact in facts])
        luminance = np.array([fact.luminance if fact else np.nan for fact in facts])
        burnt = np.array([fact.burnt if fact else np.nan for fact in facts])
        return {
            "blurred": sharpness < self.min_sharpness,
            "dark": luminance < self.luminance[0],
            "bright": (luminance > self.luminance[1]) | (burnt > self.max_burnt),
        }

    def _hidden(self, track: Track, facts: Sequence[CropFacts | None], clear: BoolArray) -> BoolArray:
        """What things before the face speak against, among clear frames."""
        hidden = np.zeros(len(facts), dtype=bool)
        pictures = [fact.thumbnail for fact, asked in zip(facts, clear, strict=True) if fact and asked]
        if pictures:
            inside = unroll(track.topology.count).inside
            hidden[clear] = hidden_shares(np.stack(pictures), inside) > self.max_hidden
        return hidden
