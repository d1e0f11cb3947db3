"""DAIC-WOZ (Gratch et al. 2014) with parts and labels of AVEC2017: face features of 189 interviews, PHQ-8.

Published: archives `XXX_P.zip` with `XXX_CLNF_AUs.txt` and further CLNF files (OpenFace 0.x), and the tables
`{train,dev}_split_Depression_AVEC2017.csv` (with items), `full_test_split.csv` (totals only).
"""

import re
from pathlib import Path

from datamodules.manifests.manifest import Manifest
from datamodules.sources.shared.daic import Participant, add_recordings, read_part
from datamodules.sources.shared.download import Download
from datamodules.sources.shared.draft import Draft

_SERIES = re.compile(r"(?P<key>\d{3})_CLNF_AUs\.(?:txt|csv)", re.IGNORECASE)  # the documentation says .csv
_LABEL_RULES = {"409": "label_409"}  # known to contradict: score 10, binary 0; others get the general name
_REMARKS = {  # known of the recordings: nothing is changed for it, but a reader of results should know
    "the interview is interrupted from 5:52 to 7:00": ("373",),
    "the interview is interrupted from 4:46 to 6:27": ("444",),
    "the face features end about 2 minutes before the audio": ("402",),
    "the transcript lacks the interviewer": ("451", "458", "480"),
    "the transcript is out of step with the audio": ("318", "321", "341", "362"),
}


def read(*, root: str | Path, probe: bool = True) -> Manifest:
    """The manifest: one recording a participant `daic:XXX`, parts train, dev and test, PHQ-8 and its items.

    Where the published binary label contradicts the total, the total decides and the change is listed.

    Args:
        root: Folder that holds label tables and unpacked archives, at any depth.
        probe: As in `read_manifest`.

    Raises:
        SourceError: A label table is missing or another one, or an archive was not unpacked.
        ManifestError: A score outside the PHQ-8.
    """
    download = Download.below(root)
    draft = Draft(name="daic_woz", root=download.root)
    persons = [
        *read_part(download.required("train_split_Depression_AVEC2017.csv"), split="train", itemized=True),
        *read_part(download.required("dev_split_Depression_AVEC2017.csv"), split="dev", itemized=True),
        *_test_part(download, draft),
    ]
    add_recordings(
        draft,
        persons,
        download=download,
        series=_SERIES,
        site=lambda number: "woz",
        rules=_LABEL_RULES,
    )
    _add_remarks(draft)
    return draft.manifest(probe=probe)


def _test_part(download: Download, draft: Draft) -> list[Participant]:
    full = download.named("full_test_split.csv")
    if full is not None:
        return read_part(full, split="test")
    draft.notes.append("'test' has no labels: full_test_split.csv holds them")
    bare = download.required("test_split_Depression_AVEC2017.csv")
    return read_part(bare, split="test", scored=False)


def _add_remarks(draft: Draft) -> None:
    present = {str(row["recording_id"]) for row in draft.rows}
    for remark, numbers in _REMARKS.items():
        found = [number for number in numbers if number in present]
        if found:
            draft.notes.append(f"participant {', '.join(found)}: {remark}")
    draft.notes += [
        "numbers 342, 394, 398 and 460 do not exist",
        "E-DAIC holds all of these participants, many in other parts: neither trains for the other's test",
        "the interviewer's turns alone predict the label (Burdisso et al. 2024): keep them out of any input",
    ]
