"""Detection of bookkeeping columns, which describe the tracking and not behavior, so are no channels.

The principle: a column that no format and no list of channels knows is left out if a word of its name is one
of those below. They say how sure or how good the tracker was, what it lacked, how many faces there were, or
how the picture was; who was easily found is no symptom. What is left out is told, and `channels` may name it.
"""

import re
from collections.abc import Sequence

from datamodules.series.schema import CHANNELS

_WORDS = frozenset(
    {
        "quality", "confidence", "confidences", "conf", "certainty", "uncertainty", "likelihood",
        "reliability",
        "success", "valid", "invalid", "validity", "detected", "undetected", "tracked", "untracked",
        "missing", "dropped", "interpolated", "imputed", "occluded", "occlusion", "visibility",
        "faces", "persons", "people", "flag", "flags", "status", "warning",
        "blur", "blurriness", "sharpness", "brightness", "luminance", "illumination", "exposure",
    }
)  # fmt: skip
# Words that say it only of the face or the tracker: a smile may have a score.
_WHOSE = frozenset(
    {"face", "det", "detection", "detector", "track", "tracking", "tracker", "landmark", "fit"}
)
_WHAT = frozenset(
    {"score", "scores", "prob", "probability", "error", "loss", "residual", "count", "number", "num", "nr",
     "id", "ids", "n", "presence", "present", "found", "lost", "state", "ok",
     "visible", "good", "bad", "has", "no"}
)  # fmt: skip
_ALONE = frozenset(
    {"tracking", "detection", "found", "lost", "ok", "good", "bad", "error", "residual", "presence"}
)


def is_bookkeeping(name: str) -> bool:
    """Whether a column that is no known channel tells how the tracking went, by the words of its name.

    >>> is_bookkeeping("AU_confidence"), is_bookkeeping("nFaces"), is_bookkeeping("face_score")
    (True, True, True)
    >>> is_bookkeeping("smile_score"), is_bookkeeping("au12_probability"), is_bookkeeping("face_width")
    (False, False, False)
    """
    words = _words(name)
    return name not in CHANNELS and (
        bool(words & _WORDS or (words & _WHOSE and words & _WHAT) or (len(words) == 1 and words <= _ALONE))
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
    return frozenset(word.lower() for word in re.findall(r"[A-Za-z]+", parts))
