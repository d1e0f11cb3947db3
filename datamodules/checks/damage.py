"""Damaged videos, found by decoding every video from start to end.

Reading clips decodes a small part of a file, so damage is met there by chance. Decoding everything takes a
core about a tenth of the time the recordings last: it is done when asked for, and its verdict is kept.
"""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from datamodules.checks.describe import Section
from datamodules.manifests.manifest import Manifest
from datamodules.progress import Progress
from datamodules.readers import UnreadableVideo
from datamodules.readers.admission import damage

_THREADS = 4  # our choice: decoding releases the interpreter lock


def damaged_videos(manifest: Manifest) -> list[tuple[str, str]]:
    """Return (recording, first damaged frame) of the videos that open but cannot be decoded throughout."""
    videos = [(entry.recording_id, entry.path) for entry in manifest.recordings() if entry.path is not None]
    with ThreadPoolExecutor(_THREADS) as pool:
        verdicts = pool.map(lambda video: _verdict(video[1]), videos)
        told = list(Progress(verdicts, total=len(videos), desc="Decoding files"))
    return [(name, verdict) for (name, _), verdict in zip(videos, told, strict=True) if verdict]


def damage_section(damaged: list[tuple[str, str]]) -> Section:
    """The list as a section of a report."""
    return Section(
        title="Damaged videos",
        header=("recording", "what the decoder reports"),
        rows=damaged,
        empty="none: every frame of every video that opens was decoded without a report of damage",
        urgency=2,
        remark="what a codec does not notice is in docs/results/video_damage.md" if damaged else "",
    )


def _verdict(path: Path) -> str:
    try:
        return damage(path)
    except UnreadableVideo:
        return ""  # listed with the files that cannot be read
