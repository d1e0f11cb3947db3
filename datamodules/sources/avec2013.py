"""AVEC2013 (Valstar et al. 2013): 150 sessions of 82 persons, one long video each, with BDI-II totals.

Published folders: `{Training,Development,Testing}/Video/PPP_S_cut_combined.mp4`, and beside it
`DepressionLabels/PPP_S_Depression.csv` with one number each.
"""

import re
from pathlib import Path

from datamodules.manifests.manifest import Manifest
from datamodules.sources.shared.avec import read_avec

_VIDEO = re.compile(r"(?P<key>\d{3}_\d+)(?:_cut_combined)?(?:_video)?\.(?:mp4|avi)")


def read(*, root: str | Path, probe: bool = True) -> Manifest:
    """The manifest: recording and session `PPP_S`, person `avec:PPP`, parts train, dev and test.

    A session without a label file keeps an empty score and is listed in the errata.

    Args:
        root: Folder that holds the videos and the label files, at any depth.
        probe: As in `read_manifest`.

    Raises:
        SourceError: No label files (or only MATLAB's), a label file of something else, a file twice, or a
            session in two parts.
        ManifestError: A score outside the BDI-II.
    """
    return read_avec(name="avec2013", twin="AVEC2014", root=root, video=_VIDEO, probe=probe)
