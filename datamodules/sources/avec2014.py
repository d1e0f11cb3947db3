"""AVEC2014 (Valstar et al. 2014): 150 sessions of 83 persons, each recorded in two tasks, with BDI-II totals.

Published folders: `Video/{Training,Development,Testing}/{Freeform,Northwind}/PPP_S_<Task>_video.mp4`, and a
label file a session, `PPP_S_Depression.csv`, that both tasks share. Only the name of a file and the nearest
folder that names a part are looked at: the older `Label/` tree and `train/dev/test` copies read the same.
"""

import re
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

from datamodules.manifests.errata import Erratum
from datamodules.manifests.manifest import Manifest
from datamodules.sources.shared.avec import read_avec

TASKS = ("Freeform", "Northwind")  # answers to questions; reading a fable aloud
_VIDEO = re.compile(rf"(?P<key>\d{{3}}_\d+_(?:{'|'.join(TASKS)}))(?:_video)?\.(?:mp4|avi)")


def read(*, root: str | Path, probe: bool = True) -> Manifest:
    """The manifest: recording `PPP_S_<Task>`, person `avec:PPP`, session `PPP_S`, parts train, dev and test.

    A session without a label file keeps an empty score and is listed in the errata.

    Args:
        root: Folder that holds the videos and the label files, at any depth; the labels of the test part come
            in an archive of their own.
        probe: As in `read_manifest`.

    Raises:
        SourceError: No label files, a label file of something else, a file twice, or a session in two parts.
        ManifestError: A score outside the BDI-II.
    """
    manifest = read_avec(name="avec2014", twin="AVEC2013", root=root, video=_VIDEO, probe=probe)
    return replace(manifest, errata=(*manifest.errata, *_single_tasks(manifest)))


def _single_tasks(manifest: Manifest) -> list[Erratum]:
    tasks: dict[str, set[str]] = defaultdict(set)
    for recording in manifest.recordings():
        tasks[recording.session_id].add(recording.task)
    return [
        Erratum(rule="missing_task", where=f"session {session}", change=f"no video of {absent}")
        for session, found in tasks.items()
        for absent in TASKS
        if absent not in found
    ]
