"""Build the splits of a config, check them with the guard, and filter their training parts on request."""

import logging
from collections.abc import Mapping
from typing import Any

from datamodules.feature_leakage.channels import LeakageError
from datamodules.manifests.columns import LABELS
from datamodules.manifests.manifest import Manifest, ManifestError
from datamodules.split_leakage.near_duplicates import duplicates, false_hashes
from datamodules.split_leakage.split_checks import check_content as check_duplicates
from datamodules.split_leakage.split_checks import check_split
from datamodules.splits.partition import Split
from datamodules.splits.subject_overlap import person_overlap
from engine.cohort.network_needs import check_content, check_heads
from engine.config.build import build
from engine.config.compose import ConfigError
from engine.runs.provenance import RunManifest

_log = logging.getLogger(__name__)


def checked_splits(config: Mapping[str, Any], manifest: Manifest) -> list[Split]:
    """The splits of `protocol`, without the training recordings that `train_filter` leaves out.

    Raises:
        ManifestError: A stated content hash is not that of the file.
        ConfigError: A split tests nobody, nothing is labeled, or the network lacks files or labels.
        LeakageError: A split leaks, or a filter touched what selects or is tested.
    """
    protocol = build(config["protocol"], key="protocol")
    drop = build(config["train_filter"], key="train_filter")
    _check_labeled(manifest)
    check_content(manifest, config)
    check_heads(manifest, config)
    if made_up := false_hashes(manifest):
        raise ManifestError(
            f"{manifest}: 'content_hash' of {', '.join(made_up[:5])} ({len(made_up)} in all) is not the "
            "SHA-256 of the file; drop the column to have it computed"
        )
    pairs = duplicates(manifest)
    splits = []
    for whole in protocol.splits(manifest):
        if not whole.test:
            raise ConfigError(f"{manifest}: split '{whole.name}' tests nobody; fill its test part")
        _check(manifest, whole, protocol)
        check_duplicates(manifest, whole, pairs)
        check_heads(manifest, config, whole)
        if drop is None:
            splits.append(whole)
            continue
        split = drop(manifest, whole)
        _check(manifest, split, protocol)
        if (split.val, split.test) != (whole.val, whole.test) or not set(split.train) <= set(whole.train):
            raise LeakageError(
                f"train_filter: split '{whole.name}' came back with other validation or test recordings, or "
                "with new training ones; a filter may only leave out training recordings"
            )
        splits.append(split)
    return splits


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
