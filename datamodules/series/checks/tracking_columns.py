"""Detection of bookkeeping columns, which describe the tracking and not behavior, so are no channels.

The principle: a column that no format and no list of channels knows is left out if a word of its name is one
of those below. They say how sure or how good the tracker was, what it lacked, how many faces there were, or
how the picture was; who was easily found is no symptom. A word for behavior, as in `smile_detected`, makes it
a channel all the same. What is left out is told, and `channels` may name it.
"""

import re
from collections.abc import Sequence

from datamodules.series.channel_schema import CHANNELS

_WORDS = frozenset(
    {
        "quality", "confidence", "confidences", "conf", "certainty", "uncertainty", "likelihood",
        "reliability",
        "success", "valid", "invalid", "validity", "detected", "undetected", "tracked", "untracked",
        "missing", "dropped", "interpolated", "imputed", "occluded", "occlusion", "visibility",
        "detections", "dropout", "dropouts", "fail", "fails", "failed", "failure", "failures", "nan", "nans",
        "rmse", "iou", "reproj", "reprojection",
        "faces", "persons", "flag", "flags", "status", "warning",
        "blur", "blurriness", "sharpness", "brightness", "luminance", "illumination", "exposure",
    }
)  # fmt: skip
# Words that say it only of the face or the tracker: a smile may have a score.
_WHOSE = frozenset(
    {"face", "det", "detection", "detector", "track", "tracking", "tracker", "landmark", "fit",
     "row", "rows", "frame", "frames"}
)  # fmt: skip
_WHAT = frozenset(
    {"score", "scores", "prob", "probability", "error", "err", "loss", "residual", "gap", "gaps",
     "count", "number", "num", "nr", "id", "ids", "n", "presence", "present", "found", "lost", "state", "ok",
     "visible", "good", "bad", "has", "no"}
)  # fmt: skip
_ALONE = frozenset(
    {"tracking", "detection", "found", "lost", "ok", "good", "bad", "error", "err", "residual",
     "presence", "tracker", "gap", "gaps"}
)  # fmt: skip
_ALL = _WORDS | _WHOSE | _WHAT
_FACE = ({"p", "face"}, {"is", "face"})
_BEHAVIOR = frozenset(
    {"smile", "smiles", "smiling", "laugh", "laughs", "laughing", "laughter", "blink", "blinks", "blinking",
     "frown", "frowns", "frowning", "yawn", "yawning", "nod", "nods", "nodding", "cry", "crying", "tears",
     "shrug", "stare", "touch", "touching", "gesture", "gestures", "fidget", "fidgeting",
     "voice", "voiced", "vocal", "speech", "speak", "speaking", "talk", "talking", "silence", "pause",
     "emotion", "emotions", "emotional", "happy", "happiness", "joy", "sad", "sadness", "anger", "angry",
     "fear", "fearful", "disgust", "disgusted", "surprise", "surprised", "contempt", "neutral", "calm",
     "valence", "arousal", "pain"}
)  # fmt: skip


def is_bookkeeping(name: str) -> bool:
    """Whether a column that is no known channel tells how the tracking went, by the words of its name.

    Examples:
        >>> is_bookkeeping("AU_confidence"), is_bookkeeping("nFaces"), is_bookkeeping("face_score")
        (True, True, True)
        >>> is_bookkeeping("smile_score"), is_bookkeeping("au12_probability"), is_bookkeeping("face_width")
        (False, False, False)
    """
    words = _words(name)
    if name in CHANNELS or words & _BEHAVIOR:
        return False
    return words in _FACE or bool(
        words & _WORDS or (words & _WHOSE and words & _WHAT) or (len(words) == 1 and words <= _ALONE)
    )


def left_out(folder: object, names: Sequence[str]) -> list[str]:
    """A remark on the columns that were left out, the same for all files of a folder."""
    if not names:
        return []
    return [
        f"files in {folder}: {', '.join(map(repr, names))} tell how the tracking went and are no channels; "
        "name all channels to use (data.module.source.channels) if they should be"
    ]


def _words(name: str) -> frozenset[str]:
    parts = re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", name)
    return frozenset(part for word in re.findall(r"[A-Za-z]+", parts) for part in _unglued(word.lower()))


def _unglued(word: str) -> tuple[str, ...]:
    """The two words that are written as one, as in `facecount`; else the word itself."""
    for place in range(1, len(word)):
        two = word[:place], word[place:]
        if {*two} <= _ALL and not {*two} <= _WHAT:
            return two
    return (word,)
