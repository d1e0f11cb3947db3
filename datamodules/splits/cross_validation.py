"""Repeated and nested cross-validation, both made of the folds of `KFold`."""

import logging
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from datamodules.manifests.manifest import Manifest
from datamodules.splits.partition import Split, SplitError
from datamodules.splits.protocols import KFold

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class RepeatedKFold:
    """Person-disjoint folds, drawn anew in every repeat, to show how much depends on one draw."""

    folds: int = 5
    repeats: int = 3
    val: float = 0.2
    seed: int = 0
    group_by: str | None = None
    subject_disjoint: ClassVar[bool] = True

    def splits(self, manifest: Manifest) -> list[Split]:
        """Splits named `repeat0-fold0`, ...; everybody is tested once a repeat.

        Raises:
            SplitError: Fewer than two repeats, or what `KFold` refuses.
        """
        if self.repeats < 2:
            raise SplitError(f"protocol.repeats={self.repeats}: for a single one use protocol=kfold")
        found = []
        for repeat in range(self.repeats):
            # Neighboring seeds are those of neighboring runs: a repeat must not be the fold of another run.
            seed = int(np.random.SeedSequence([self.seed, repeat]).generate_state(1)[0])
            dealt = KFold(folds=self.folds, val=self.val, seed=seed, group_by=self.group_by)
            for split in dealt.splits(manifest):
                found.append(replace(split, name=f"repeat{repeat}-{split.name}", repeat=repeat))
        return found


@dataclass(frozen=True, kw_only=True)
class Nested:
    """Inner folds over the persons whom one outer fold does not test, or that outer fold itself.

    A sweep with `final=False` searches on the inner folds, of which no part holds a person of the outer test
    part; the training with `final=True` then meets these persons once, with what the search chose.

    Args:
        outer: Outer folds; those of `KFold(folds=outer, val=val, seed=seed)`.
        inner: Inner folds.
        outer_fold: Which outer fold, from 0.
        final: The outer fold itself.
        val: Fraction of the remaining persons that selects the checkpoint, in inner and outer folds.
        seed: Of all folds.
        group_by: Column of groups that stay together in all of them, such as `school`.
    """

    outer: int = 5
    inner: int = 3
    outer_fold: int = 0
    final: bool = False
    val: float = 0.2
    seed: int = 0
    group_by: str | None = None
    subject_disjoint: ClassVar[bool] = True

    def splits(self, manifest: Manifest) -> list[Split]:
        """The split `outer<k>`, or the splits `outer<k>-fold0`, `outer<k>-fold1`, ...

        Raises:
            SplitError: There is no such outer fold, or what `KFold` refuses.
        """
        if not 0 <= self.outer_fold < self.outer:
            raise SplitError(f"protocol.outer_fold={self.outer_fold}: there are 0 to {self.outer - 1}")
        outer = self._folds("outer", manifest)[self.outer_fold]
        name = f"outer{self.outer_fold}"
        if self.final:
            return [replace(outer, name=name)]
        _log.warning(
            "outer fold %d: its inner folds are for a search (a sweep over settings); what comes out is no "
            "result. Test this fold with what the search chose: protocol.final=true",
            self.outer_fold,
        )
        # Not even the labels by which folds are stratified come from persons of the outer test part.
        rest = manifest.table[~manifest.table["recording_id"].isin(set(outer.test))]
        inside = replace(manifest, table=rest.reset_index(drop=True))
        folds = self._folds("inner", inside)
        return [replace(split, name=f"{name}-{split.name}") for split in folds]

    def _folds(self, which: str, manifest: Manifest) -> list[Split]:
        """The folds of `KFold`, whose errors name the option of this protocol."""
        try:
            folds = getattr(self, which)
            return KFold(folds=folds, val=self.val, seed=self.seed, group_by=self.group_by).splits(manifest)
        except SplitError as fault:
            raise SplitError(str(fault).replace("protocol.folds", f"protocol.{which}")) from fault
