"""Build the splits of a config, check them with the guard, and filter their training parts on request."""

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from datamodules.feature_leakage.channels import LeakageError
from datamodules.manifests.columns import LABELS
from datamodules.manifests.manifest import Manifest
from datamodules.split_leakage.near_duplicates import duplicates
from datamodules.split_leakage.split_checks import check_content as check_duplicates
from datamodules.split_leakage.split_checks import check_split
from datamodules.splits.partition import Split
from datamodules.splits.subject_overlap import person_overlap
from engine.cohort.file_checks import check_files
from engine.cohort.network_needs import check_content, check_heads
from engine.config.build import build
from engine.config.compose import ConfigError
from engine.runs.provenance import RunManifest

_log = logging.getLogger(__name__)


def checked_splits(
    config: Mapping[str, Any],
    manifest: Manifest,
    *,
    needs: Callable[[Sequence[Split]], None] = lambda splits: None,
) -> list[Split]:
    """The splits of `protocol`, without the training recordings that `train_filter` leaves out.

    What the table alone tells is checked first: no file is read for splits that cannot be used.

    Args:
        config: Resolved config of the run.
        manifest: The recordings.
        needs: Raises where the whole splits lack what the run chooses by.

    Raises:
        ManifestError: A file is not the one that its cache made, or that its row states.
        ConfigError: A split tests nobody, nothing is labeled, or the network lacks files or labels.
        LeakageError: A split leaks, or a filter touched what selects or is tested.
    """
    protocol = build(config["protocol"], key="protocol")
    drop = build(config["train_filter"], key="train_filter")
    _check_labeled(manifest)
    check_content(manifest, config)
    check_heads(manifest, config)
    wholes: list[Split] = list(protocol.splits(manifest))
    for whole in wholes:
        if not whole.test:
            raise ConfigError(f"{manifest}: split '{whole.name}' tests nobody; fill its test part")
        _check(manifest, whole, protocol)
        check_heads(manifest, config, whole)
    needs(wholes)
    check_files(manifest)
    pairs = duplicates(manifest)
    for whole in wholes:
        check_duplicates(manifest, whole, pairs)
    return wholes if drop is None else [_filtered(manifest, whole, drop, protocol) for whole in wholes]


def _filtered(
    manifest: Manifest, whole: Split, drop: Callable[[Manifest, Split], Split], protocol: Any
) -> Split:
    split = drop(manifest, whole)
    _check(manifest, split, protocol)
    if (split.val, split.test) != (whole.val, whole.test) or not set(split.train) <= set(whole.train):
        raise LeakageError(
            f"train_filter: split '{whole.name}' came back with other validation or test recordings, or "
            "with new training ones; a filter may only leave out training recordings"
        )
    return split


def _check_labeled(manifest: Manifest) -> None:
    labels = [name for name in manifest.table if name in LABELS or str(name).startswith("trait_")]
    if not manifest.table[labels].notna().any(axis=None):
        raise ConfigError(
            f"{manifest}: no recording has a label; fill 'score' and 'scale', 'binary', or trait_* columns"
        )


def _check(manifest: Manifest, split: Split, protocol: Any) -> None:
    check_split(
        manifest,
        split,
        subject_disjoint=protocol.subject_disjoint,
        chronological=getattr(protocol, "chronological", False),
    )


def report_split(manifest: Manifest, split: Split, *, record: RunManifest) -> None:
    """Print and record the notes of a split and the persons that its parts share.

    Of a split that keeps persons apart the guard has proven that they share nobody.
    """
    for note in split.notes:
        _log.warning("%s, split '%s': %s", manifest.name, split.name, note)
    if split.notes:
        record.record(split_notes={**record.content.get("split_notes", {}), split.name: list(split.notes)})
    if split.left_out:
        counts = {"left_out": len(split.left_out), "of": len(split.train) + len(split.left_out)}
        record.record(train_filter={**record.content.get("train_filter", {}), split.name: counts})
    if not split.subject_disjoint:
        overlap = person_overlap(manifest, split)
        overlap.log(manifest.name, split.name)
        record.record(person_overlap=overlap.as_dict())
