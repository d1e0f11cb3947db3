"""Cross-corpus protocol: train on some corpora, test on others."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import pandas as pd

from datamodules.manifests.identity import person_keys
from datamodules.manifests.manifest import Manifest
from datamodules.schema import UNKNOWN
from datamodules.splits.label_strata import draw, strata_of
from datamodules.splits.partition import PARTS, Split, SplitError, require_classes, require_persons, split_of
from datamodules.wording import nearest


@dataclass(frozen=True, kw_only=True)
class CrossCorpus:
    """Corpora that train against corpora that are tested, by the column `corpus`.

    Persons of a tested corpus who are also in a training corpus (equal `subject_id`, e.g. `daic:300`) do not
    train; how many they are is a note of the split. Unknown persons cannot be found that way.

    Args:
        train: Names of the corpora that train and select.
        test: Names of the corpora that are tested, as a whole.
        val: Fraction of the training persons that selects.
        seed: Of the draw.
    """

    train: Sequence[str]
    test: Sequence[str]
    val: float = 0.2
    seed: int = 0
    subject_disjoint: ClassVar[bool] = True

    def splits(self, manifest: Manifest) -> list[Split]:
        """One split named `<training corpora>-to-<tested corpora>`.

        Raises:
            SplitError: No column `corpus`, a name that is not in it or on both sides, too few persons, or a
                class missing from a part.
        """
        self._check(manifest)
        table, keys = manifest.table, pd.Series(person_keys(manifest.table))
        tested, ours = (table["corpus"].isin(list(names)).to_numpy() for names in (self.test, self.train))
        # by person and not by recording: whoever is tested there must not be known from here
        met = keys.isin(set(keys[tested])).to_numpy()
        strata = strata_of(table[ours & ~met])
        require_persons(manifest, strata, 2)
        val = keys.isin(draw(strata, self.val, np.random.default_rng(self.seed))).to_numpy()
        parts = np.select([tested, ~ours | met, val], ["test", "", "val"], "train")
        split = split_of(f"{'+'.join(self.train)}-to-{'+'.join(self.test)}", table, parts.tolist())
        require_classes(manifest, split, PARTS)
        gone = ours & met
        return [replace(split, notes=self._notes(table, removed=int(gone.sum()), persons=set(keys[gone])))]

    def _check(self, manifest: Manifest) -> None:
        if "corpus" not in manifest.table:
            raise SplitError(f"{manifest}: no column 'corpus'; join manifests with data=joined, or add it")
        known = sorted(set(manifest.table["corpus"]))
        for name in (*self.train, *self.test):
            if name not in known:
                raise SplitError(
                    f"{manifest}: no corpus {name!r}{nearest(name, known)}; there are {', '.join(known)}"
                )
        if not self.train or not self.test:
            raise SplitError("protocol.train and protocol.test must each name a corpus")
        if both := sorted(set(self.train) & set(self.test)):
            raise SplitError(f"corpus {both[0]!r} would train and be tested; name it on one side")
        if not 0 < self.val < 1:
            raise SplitError(
                f"protocol.val={self.val} must leave persons to train on and persons to select by"
            )

    def _notes(self, table: pd.DataFrame, *, removed: int, persons: set[str]) -> tuple[str, ...]:
        notes = []
        if removed:
            notes.append(
                f"{len(persons)} person(s) of {', '.join(self.train)} are also in {', '.join(self.test)}: "
                f"their {removed} recording(s) there neither train nor select"
            )
        used = table["corpus"].isin([*self.train, *self.test])
        if unknown := int((used & (table["subject_id"] == UNKNOWN)).sum()):
            notes.append(f"of {unknown} recording(s) nobody knows whether their persons are in both corpora")
        return tuple(notes)
