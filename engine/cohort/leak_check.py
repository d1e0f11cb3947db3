"""The leak audit before training: which single facts of the input predict the label, and which stop a run."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from itertools import islice
from typing import Any

import numpy as np

from datamodules.clips.dataset import ClipSource
from datamodules.feature_leakage.channels import LeakageError
from datamodules.manifests.identity import person_codes
from datamodules.manifests.manifest import Manifest
from datamodules.shortcuts.metadata_facts import metadata_facts
from datamodules.shortcuts.signal_facts import TOLD, signal_facts
from datamodules.splits.partition import Split
from datamodules.wording import nearest
from engine.cohort.asked_label import labels_of
from engine.config.compose import ConfigError
from engine.runs.provenance import RunManifest, write_json
from engine.runs.ranks import is_main
from evaluation.audit.leaking_facts import STOP_AUC, STOP_LOW, audit_facts

_log = logging.getLogger(__name__)

FILE = "leak_audit.json"
_LOGGED, _RECORDED = 3, 15  # of the most telling facts


def audit_leaks(
    manifest: Manifest,
    split: Split,
    source: ClipSource,
    *,
    accepted: Sequence[str],
    record: RunManifest,
    others: Sequence[str] = (),
) -> None:
    """Measure how well single facts predict the labels of training and validation, and record the findings.

    The whole answer goes to `leak_audit.json`, its head to `manifest.json` with `leaks_on_purpose`, the leaks
    that were accepted. Labels and inputs of the tested recordings are not read, unless the split only tests.

    Args:
        manifest: The recordings.
        split: Who trains and selects; of several folds the first, as every person is tested in one of them.
        source: A prepared source of what the network reads.
        accepted: Patterns of `accept_leaks`.
        record: The run's record.
        others: Further names that a pattern may mean, as columns that an analysis puts among its features.

    Raises:
        LeakageError: A fact that the network reads orders persons as no behavior does, and was not accepted.
        ConfigError: A pattern matches nothing.
    """
    ids = (*split.train, *split.val) or split.test
    table = manifest.table.iloc[manifest.rows(ids)].reset_index(drop=True)
    labels, note = labels_of(table)
    table, labels = table[np.isfinite(labels)].reset_index(drop=True), labels[np.isfinite(labels)]
    reads = signal_facts(manifest.recordings(table["recording_id"].tolist()), source, table)
    about = metadata_facts(table, root=manifest.root, column=getattr(source, "column", "path"))
    about = about.assign(**{name: reads.pop(name) for name in TOLD if name in reads})
    _check_patterns(accepted, [*map(str, reads), *map(str, about), *others])
    site = next((table[name] for name in ("site", "corpus") if name in table), None)
    found = {"split": split.name, "label": note} | audit_facts(
        reads, about, labels, person_codes(table), site
    )
    unsure, leaks = _with(found, "cannot tell"), _with(found, "stops")
    passed = [name for name in (*leaks, *unsure) if _matches(name, accepted)]
    stopped = [name for name in leaks if name not in passed]
    if "reason" in found:
        passed = list(accepted)  # nobody knows whether they are leaks, so all are named
    if is_main():
        write_json(record.folder / FILE, found | {"accepted": passed})
    known = record.content.get("leaks_on_purpose", [])
    head = found | {"found": found.get("found", [])[:_RECORDED]}
    record.record(leak_audit=head, leaks_on_purpose=list(dict.fromkeys([*known, *passed])))
    _report(manifest.name, found, passed)
    if stopped:
        raise LeakageError(_stop(manifest.name, found, stopped))


def _check_patterns(accepted: Sequence[str], names: Sequence[str]) -> None:
    for pattern in accepted:
        if not any(fnmatchcase(name, pattern) for name in names):
            raise ConfigError(
                f"accept_leaks: {pattern!r} matches no fact of the input{nearest(pattern, names)}; "
                f"{FILE} of a run lists them"
            )


def _matches(name: str, patterns: Sequence[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def _with(found: Mapping[str, Any], verdict: str) -> list[str]:
    return list(dict.fromkeys(one["fact"] for one in found.get("found", []) if one["verdict"] == verdict))


def _report(name: str, found: Mapping[str, Any], passed: Sequence[str]) -> None:
    if "reason" in found:
        _log.warning("%s: no audit of what single facts say of the label: %s", name, found["reason"])
        return
    _log.info(
        "%s: what single facts say of the label (%d persons, %d facts): %s",
        name,
        found["persons"],
        found["facts"],
        _listed(one for one in found["found"] if one["reads"]) or "nothing varies",
    )
    if told := _listed(one for one in found["found"] if one["verdict"] == "tells"):
        _log.warning("%s: how the recordings were made goes with the label: %s", name, told)
    if unsure := _listed(one for one in found["found"] if one["verdict"] == "cannot tell"):
        _log.warning("%s: almost the label, but too few persons to tell a leak from chance: %s", name, unsure)
    if passed:
        _log.warning("%s: LEAKS ON PURPOSE: %s", name, ", ".join(passed))


def _listed(found: Iterable[Mapping[str, Any]]) -> str:
    return ", ".join(map(describe, islice(found, _LOGGED)))


def describe(one: Mapping[str, Any]) -> str:
    """`mean of au04 AUC 0.72 [0.68, 0.76]`, with the site where one was asked apart."""
    where = f" at {one['site']}" if one["site"] else ""
    return f"{one['fact']}{where} AUC {one['value']:.2f} [{one['low']:.2f}, {one['high']:.2f}]"


def _stop(name: str, found: Mapping[str, Any], stopped: Sequence[str]) -> str:
    first = {one["fact"]: one for one in reversed(found["found"]) if one["verdict"] == "stops"}
    listed = "\n".join(f"  - {describe(first[fact])}" for fact in stopped[:10])
    more = f"\n  - and {len(stopped) - 10} more" if len(stopped) > 10 else ""
    return (
        f"{name}: single facts of the input give the label away (AUC of {STOP_AUC} or more, interval above "
        f"{STOP_LOW:.2f}, on persons they were not looked up from):\n{listed}{more}\nFind out what writes "
        "the label into the files, or leave these channels out with data.module.source.channels=[...]. To go "
        f"on all the same: \"accept_leaks=['{stopped[0]}']\", which every page of the run will say."
    )
