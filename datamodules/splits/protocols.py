"""Split protocols: given, holdout, k-fold, leave-one-subject-out.

A split is made over persons, or whole groups of them, never over clips or recordings. Only `Given`, which
repeats what a corpus prescribes, may put visits of one person on both sides, and
`longitudinal.Longitudinal`, which asks another question.
"""

import logging
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from datamodules.manifests.manifest import Manifest
from datamodules.splits.groups import group_note, unit_keys
from datamodules.splits.label_strata import draw, strata_of, without
from datamodules.splits.partition import (
    PARTS,
    Split,
    SplitError,
    by_person,
    faults_of,
    require_classes,
    require_persons,
    split_of,
)

__all__ = ["Given", "Holdout", "KFold", "LeaveOneSubjectOut", "Split", "SplitError"]

_log = logging.getLogger(__name__)

_PARTS = {"train": "train", "val": "val", "test": "test", "dev": "val", "valid": "val", "validation": "val"}


@dataclass(frozen=True, kw_only=True)
class Given:
    """The column `split` of the manifest: train, val (or dev, valid, validation), test; empty is unused.

    An unused recording of a tested person is still context for the others, as it needs no label.

    Args:
        subject_disjoint: False admits a partition that shares persons, as AVEC 2013 and 2014 do.
    """

    subject_disjoint: bool = True

    def splits(self, manifest: Manifest) -> list[Split]:
        """One split named `given`; a class missing from a part is reported but not refused.

        Raises:
            SplitError: No column `split`, a value of it that is no part, or an empty train or val part.
        """
        table = manifest.table
        if "split" not in table:
            raise SplitError(
                f"{manifest}: no column 'split'; add it, or choose another protocol, e.g. protocol=holdout"
            )
        wrong = sorted(set(table["split"].str.lower()) - {"", *_PARTS})
        if wrong:
            raise SplitError(f"{manifest}: 'split' holds {wrong}; use {', '.join(_PARTS)} or leave it empty")
        part = table["split"].str.lower().map(_PARTS).fillna("")
        split = split_of("given", table, part.tolist(), disjoint=self.subject_disjoint)
        if not split.train or not split.val:
            raise SplitError(f"{manifest}: 'split' leaves train or val empty; selection needs a val part")
        if unused := int((part == "").sum()):
            _log.warning("%s: %d recording(s) have no 'split' and are not used", manifest.name, unused)
        for fault in faults_of(table, split, ("train", "val", "test")):
            _log.warning("%s: %s", manifest.name, fault)
        return [split]


@dataclass(frozen=True, kw_only=True)
class Holdout:
    """One person-disjoint split, stratified by each person's majority label; fractions are of persons.

    Args:
        val: Fraction that selects.
        test: Fraction that is tested.
        seed: Of the draw.
        group_by: Column of groups that stay together, such as `school`; fractions are then of groups.
    """

    val: float = 0.15
    test: float = 0.3
    seed: int = 0
    group_by: str | None = None
    subject_disjoint: ClassVar[bool] = True

    def splits(self, manifest: Manifest) -> list[Split]:
        """One split named `holdout`.

        Raises:
            SplitError: Fractions that leave nothing, too few persons or groups, a person in two groups, or a
                class missing from a part.
        """
        if min(self.val, self.test) <= 0 or self.val + self.test >= 1:
            raise SplitError(
                f"protocol.val={self.val} and protocol.test={self.test} must be positive and leave persons "
                "to train on"
            )
        keys = unit_keys(manifest, self.group_by)
        strata = strata_of(manifest.table, keys)
        require_persons(manifest, strata, 3, group_by=self.group_by)
        rng = np.random.default_rng(self.seed)
        test = draw(strata, self.test, rng)
        val = draw(without(strata, test), self.val / (1 - self.test), rng)
        split = by_person(manifest, "holdout", val=val, test=test, check=(), keys=keys)
        if faults_of(manifest.table, split, PARTS):
            require_classes(manifest, split, PARTS, remedy=self._remedy(manifest))
        return [replace(split, notes=group_note(manifest, split, self.group_by))]

    def _remedy(self, manifest: Manifest) -> str:
        """The number of folds that gives every part every class, where there is one: small data need it."""
        folds = KFold(seed=self.seed, group_by=self.group_by).working(manifest)
        return f"use protocol=kfold protocol.folds={folds}, which works with these persons" if folds else ""


@dataclass(frozen=True, kw_only=True)
class KFold:
    """Person-disjoint stratified folds: everyone is tested once; val is a fraction of the other persons.

    Args:
        folds: How many.
        val: Fraction of those who are not tested that selects.
        seed: Of the draw.
        group_by: Column of groups that stay together, such as `school`; folds are then dealt from groups.
    """

    folds: int = 5
    val: float = 0.2
    seed: int = 0
    group_by: str | None = None
    subject_disjoint: ClassVar[bool] = True

    def splits(self, manifest: Manifest) -> list[Split]:
        """Splits named `fold0`, `fold1`, ...

        Raises:
            SplitError: Fewer than two folds, too few persons or groups, a person in two groups, or a class
                missing from a part.
        """
        if self.folds < 2:
            raise SplitError(f"protocol.folds={self.folds}: cross-validation needs at least 2")
        strata = strata_of(manifest.table, unit_keys(manifest, self.group_by))
        require_persons(manifest, strata, max(self.folds, 3), group_by=self.group_by)
        splits = self._dealt(manifest)
        if faulty := [split for split in splits if faults_of(manifest.table, split, PARTS)]:
            require_classes(manifest, faulty[0], PARTS, remedy=self._remedy(manifest))
        return [replace(split, notes=group_note(manifest, split, self.group_by)) for split in splits]

    def _dealt(self, manifest: Manifest) -> list[Split]:
        """The folds, whether or not every part of them has every class."""
        keys = unit_keys(manifest, self.group_by)
        strata = strata_of(manifest.table, keys)
        rng = np.random.default_rng(self.seed)
        # Dealing the strata one after the other, without starting anew, keeps the folds equally large.
        dealt = [person for persons in strata.values() for person in rng.permutation(persons).tolist()]
        splits = []
        for fold in range(self.folds):
            test = set(dealt[fold :: self.folds])
            # a stream for each fold, so that the val part of one does not depend on how many came before
            val = draw(without(strata, test), self.val, np.random.default_rng([self.seed, fold]))
            splits.append(by_person(manifest, f"fold{fold}", val=val, test=test, check=(), keys=keys))
        return splits

    def working(self, manifest: Manifest) -> int | None:
        """The nearest number of folds that gives every part every class, where there is one."""
        units = len(set(unit_keys(manifest, self.group_by)))
        few = range(2, min(self.folds + 5, units if self.group_by else self.folds + 5) + 1)
        for folds in sorted(few, key=lambda count: abs(count - self.folds)):
            dealt = replace(self, folds=folds)._dealt(manifest)
            if not any(faults_of(manifest.table, split, PARTS) for split in dealt):
                return folds
        return None

    def _remedy(self, manifest: Manifest) -> str:
        folds = self.working(manifest)
        return f"use protocol.folds={folds}, which works with these persons" if folds else ""


@dataclass(frozen=True, kw_only=True)
class LeaveOneSubjectOut:
    """One split a person; the test part holds that person only, so it may lack a class.

    Args:
        val: Fraction of the others that selects.
        seed: Of the draw.
        group_by: Column of groups that are left out in the place of persons, such as `school`.
    """

    val: float = 0.2
    seed: int = 0
    group_by: str | None = None
    subject_disjoint: ClassVar[bool] = True

    def splits(self, manifest: Manifest) -> list[Split]:
        """Splits named `loso-<subject>`, or `loso-<group>`.

        Raises:
            SplitError: Too few persons or groups, a person in two groups, or a class missing from training or
                validation.
        """
        keys = unit_keys(manifest, self.group_by)
        strata = strata_of(manifest.table, keys)
        require_persons(manifest, strata, 3, group_by=self.group_by)
        persons = [person for group in strata.values() for person in group]
        splits = []
        for number, person in enumerate(sorted(persons)):
            val = draw(without(strata, {person}), self.val, np.random.default_rng([self.seed, number]))
            name = f"loso-{person.split(':', 1)[1]}"
            given = {"val": val, "test": {person}}
            split = by_person(manifest, name, **given, check=("train", "val"), keys=keys)
            splits.append(replace(split, notes=group_note(manifest, split, self.group_by)))
        return splits
