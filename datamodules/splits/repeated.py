"""Repeated cross-validation, with new folds in every repeat."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from datamodules.splits.partition import Split, SplitError
from datamodules.splits.protocols import KFold

if TYPE_CHECKING:
    from datamodules.manifests.manifest import Manifest


@dataclass(frozen=True, kw_only=True)
class RepeatedKFold:
    """Person-disjoint folds, drawn anew in every repeat, to show how much depends on one draw."""

    folds: int = 5
    repeats: int = 3
    val: float = 0.2
    seed: int = 0
    subject_disjoint: ClassVar[bool] = True

    def splits(self, manifest: "Manifest") -> list[Split]:
        """Splits named `repeat0-fold0`, ...; everybody is tested once a repeat.

        Raises:
            SplitError: Fewer than two repeats, or what `KFold` refuses.
        """
        if self.repeats < 2:
            raise SplitError(f"repeats={self.repeats}: for a single one use protocol=kfold")
        found = []
        for repeat in range(self.repeats):
            seed = int(np.random.SeedSequence([self.seed, repeat]).generate_state(1)[0])
            for split in KFold(folds=self.folds, val=self.val, seed=seed).splits(manifest):
                found.append(replace(split, name=f"repeat{repeat}-{split.name}", repeat=repeat))
        return found
