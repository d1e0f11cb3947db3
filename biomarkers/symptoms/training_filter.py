"""Filter of the training part: removes visits whose answers are least like others of the same total.

A filter needs the answers of a person. Of a training person they are known; of a person who is tested they
are what is asked for, so that a filtered test set could never be met outside a study.
"""

from dataclasses import dataclass, replace

import pandas as pd

from biomarkers.symptoms.discrepancy import Grouping, SymptomDiscrepancy
from biomarkers.symptoms.distances import Center
from biomarkers.symptoms.outlier_subjects import Cut, keep
from datamodules.manifests.identity import visit_keys
from datamodules.manifests.manifest import Manifest
from datamodules.manifests.questionnaires import ItemError, subscale
from datamodules.splits.partition import Split, require_classes


@dataclass(frozen=True, kw_only=True)
class TrainingFilter:
    """Remove from a split the share of training visits that is farthest from its group, and nothing else.

    Items belong to a visit: a visit counts once, and all of its recordings stay or go.

    Args:
        scale: Whose items are compared, a name of `datamodules.manifests.scales.SCALES`.
        share: Of training visits to leave out, 0 or more, below 1.
        grouping: Compare with persons of the same `score`, or of the same `severity`.
        center: Distance from the mean of the `group`, or of everybody (`global`).
        threshold: Leave out the share of each group (`per_group`), or of all together (`global`).
    """

    scale: str
    share: float
    grouping: Grouping = "score"
    center: Center = "group"
    threshold: Cut = "per_group"

    def __call__(self, manifest: Manifest, split: Split) -> Split:
        """Fit the discrepancy on the items of the training part and leave its farthest visits out.

        Raises:
            ItemError: An item column is missing, a training recording has gaps, or recordings of a visit
                disagree; names them.
            SplitError: A class is gone from the training part.
            ValueError: No such option, or too few answers to compare.
        """
        rows = manifest.table.iloc[manifest.rows(split.train)]
        items = visit_items(rows, self.scale)
        discrepancy = SymptomDiscrepancy(
            grouping=self.grouping, center=self.center, normalization="none", scale=self.scale
        )
        table = discrepancy.fit(items).per_person(items)
        kept = keep(table, share=self.share, cut=self.threshold)
        stays = [bool(kept[key]) for key in _keys(rows)]
        named = list(zip(rows["recording_id"], stays, strict=True))
        left_out = tuple(name for name, stay in named if not stay)
        note = (
            f"{len(left_out)} of {len(named)} training recordings left out by symptom discrepancy "
            f"({self.scale}, share {self.share:g}); nobody was removed from validation or test"
        )
        filtered = replace(
            split,
            train=tuple(name for name, stay in named if stay),
            notes=(*split.notes, note),
            left_out=left_out,
        )
        require_classes(manifest, filtered, ("train",))
        return filtered


def visit_items(rows: pd.DataFrame, scale: str) -> pd.DataFrame:
    """Complete answers (visits, J) by visit, in the order of the first recording of each.

    Raises:
        ItemError: An item column is missing, a recording has gaps, or recordings of a visit disagree.
    """
    form = subscale(scale).within(rows)
    form.total(rows, missing="refuse")
    items = form.answers(rows).set_axis(pd.Index(_keys(rows), name="visit"), axis=0)
    once = items.groupby(level=0, sort=False).first()
    if len(odd := items[items.ne(once.loc[items.index]).any(axis=1)]):
        raise ItemError(
            f"recordings of visit {odd.index[0]} hold different answers; a visit has one questionnaire: "
            "correct the items, or give the visits session ids of their own"
        )
    return once


def _keys(rows: pd.DataFrame) -> list[str]:
    return [f"{person}/{session}" for person, session in visit_keys(rows)]
