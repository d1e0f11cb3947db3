"""One x-ray: the pass over the files, the detectors, and what each defect alone would score."""

import time
from pathlib import Path

import numpy as np
import pandas as pd

from datamodules.manifests.manifest import Manifest
from datamodules.xray.survey import survey, survey_folder
from engine.xray.alarm import XRay
from engine.xray.content import content_alarms
from engine.xray.target import Target
from engine.xray.telling import telling_alarms


def examine(
    table: pd.DataFrame | None, *, root: Path, manifest: Manifest | None = None, below: bool = False
) -> XRay:
    """Look for everything; a file that cannot be read is listed, and the others are looked at.

    Args:
        table: Rows of a manifest; None takes the files below the root for recordings.
        root: Folder of the paths.
        manifest: The same rows, where their checks passed: its videos are compared too.
        below: Whether all files below the root belong to the corpus, or only those beside the named ones.
    """
    begun = time.perf_counter()
    target = Target.of(table)
    found = survey_folder(root) if table is None else survey(table, root)
    answer = XRay(label=target.note, persons=len(np.unique(target.persons)), unreadable=found.unreadable)
    answer.recordings = len(found.measured) if table is None else len(table)
    content_alarms(answer, found, target, table=table, root=root, manifest=manifest, below=below)
    if table is None:
        answer.cannot_tell |= dict.fromkeys(
            ("site", "genre", "trait", "metadata", "file_name"), target.reason
        )
    else:
        telling_alarms(answer, table, target, root=root, measured=found.measured)
    answer.seconds = time.perf_counter() - begun
    return answer
