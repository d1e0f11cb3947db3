"""What a forecast needs of a corpus: who is tested, and labels of others to learn the spread from.

Labels are read of training recordings alone where the corpus states its parts, so that a forecast knows
nothing of the labels of its test part but how many recordings it has.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from datamodules.manifests.identity import person_keys
from datamodules.manifests.manifest import Manifest
from datamodules.manifests.scales import SCALES, Scale
from evaluation.forecast.design import Design
from evaluation.forecast.labels import Labels

Protocol = Literal["given", "official", "kfold", "holdout"]
PARTS = {
    "given": "the test part", "official": "the test part", "kfold": "all folds",
    "holdout": "a holdout",
}  # fmt: skip


_HIDDEN = (
    "the test part has no label here: this is what those can say who hold its labels, and a report of your "
    "own measures the validation part instead"
)


class CorpusError(ValueError):
    """A table that no forecast can be made of; says what to do."""


@dataclass(frozen=True, eq=False)
class Corpus:
    """A corpus as a forecast sees it.

    Attributes:
        part: Who is tested, in words.
        design: Who is tested, in numbers.
        labels: That were read.
        read_of: Which recordings they are of, in words.
        rows: These recordings, with answers to single questions where the table has them.
        scale: The one questionnaire of their scores; None where there is none, or several.
        remarks: What a reader must know.
    """

    part: str
    design: Design
    labels: Labels
    read_of: str
    rows: pd.DataFrame
    scale: Scale | None
    remarks: tuple[str, ...]


def corpus(
    manifest: Manifest,
    *,
    protocol: Protocol | None = None,
    share: float = 0.3,
    persons: int | None = None,
    visits: int | None = None,
) -> Corpus:
    """Look at the table of a corpus.

    Args:
        manifest: The table; no file of it is opened.
        protocol: Who is tested; the column `split` where it has a test part, else a holdout.
        share: Of the persons in a holdout.
        persons: Test so many instead.
        visits: Let each come so often instead.

    Raises:
        CorpusError: Nobody or one person alone is tested, or nothing is labeled.
    """
    table = manifest.table.assign(person=person_keys(manifest.table))
    stated = table["split"].str.lower() if "split" in table else pd.Series("", index=table.index)
    protocol = protocol or ("given" if (stated == "test").any() else "holdout")
    given = protocol in ("given", "official")
    labeled = table[_known(table)]
    read = labeled[stated[labeled.index] == "train"] if given else labeled
    tested = table[stated == "test"] if given else labeled
    hidden = given and not _known(tested).any()
    if given and not hidden:
        tested = tested[_known(tested)]  # what has no label is not measured
    if tested.empty:
        raise CorpusError(f"{manifest}: 'split' names no test part; choose protocol=kfold or holdout")
    if read.empty:
        where = "training recording" if given else "recording"
        raise CorpusError(
            f"{manifest}: no {where} has a label; fill 'score' and 'scale', or 'binary'"
            + (", or choose protocol=kfold where the parts do not matter" if given else "")
        )
    each = np.asarray(tested.groupby("person").size(), dtype=np.int64)
    sizes = each if visits is None else np.full(1, visits, dtype=np.int64)
    count = len(each)
    if protocol == "holdout":
        count = max(1, round(share * count))
    words = PARTS[protocol] + (f" of {100 * share:.0f} % of the persons" if protocol == "holdout" else "")
    if persons:
        words, count = f"{persons} persons like those of {words}", persons
    if count < 2:
        more = {"holdout": ", a larger test= or protocol=kfold", "kfold": ""}
        raise CorpusError(
            f"{manifest}: {count} person is tested ({words}), which shows nothing; give persons=, for so "
            f"many like them{more.get(protocol, ' or protocol=kfold')}"
        )
    labels, scale, remarks = _labels(read)
    if hidden:
        remarks = (*remarks, _HIDDEN)
    return Corpus(
        words,
        Design(count, sizes),
        labels,
        "the training part" if given else "all parts",
        read,
        scale,
        remarks,
    )


def _known(table: pd.DataFrame) -> "pd.Series[bool]":
    known = pd.Series(False, index=table.index)
    for name in ("score", "binary"):
        if name in table:
            known |= table[name].notna()
    return known


def _labels(rows: pd.DataFrame) -> tuple[Labels, Scale | None, tuple[str, ...]]:
    """Scores of one questionnaire, classes, or both: those that all of these rows have."""
    remarks = []
    scales = set(rows["scale"]) - {""} if "scale" in rows else set()
    columns: dict[str, np.ndarray | None] = {}
    for name in ("score", "binary"):
        values = rows[name].to_numpy(dtype=np.float64) if name in rows else np.full(len(rows), np.nan)
        columns[name] = None if np.isnan(values).any() else values
        if columns[name] is None and np.isfinite(values).any():
            missing = int(np.isnan(values).sum())
            remarks.append(f"'{name}' is not used: {missing} of {len(rows)} recordings with a label lack it")
    if columns["score"] is not None and len(scales) > 1:
        columns["score"] = None
        remarks.append(
            f"scores are not used: they are of several questionnaires, {', '.join(sorted(scales))}"
        )
    if columns["score"] is None and columns["binary"] is None:
        raise CorpusError(
            "some recordings have only a score and others only a class; fill one of the columns for all"
        )
    person = pd.factorize(rows["person"])[0].astype(np.int64)
    scale = SCALES[scales.pop()] if len(scales) == 1 else None
    return Labels(person, columns["binary"], columns["score"]), scale, tuple(remarks)
