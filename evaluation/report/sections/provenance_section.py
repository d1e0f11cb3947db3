"""Provenance of a run in words: its command, code, machine, and how often its test part was looked at."""

import shlex
from collections.abc import Mapping
from typing import Any

_DISJOINT = {True: "yes", False: "not demanded: stated parts are taken as they are, shared persons listed"}
_TOLD = {"name", "source", "license", "sha256", "taken", "left_out", "resized"}  # of weights


def provenance_rows(record: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Label and text of what `manifest.json` knows of how a result came about; unknown facts are left out."""
    digest = record.get("data_digest")
    rows = [
        ("Command", shlex.join(map(str, record.get("argv") or ()))),
        ("Started", str(record.get("started") or "")),
        ("Checkpoint", str(record.get("checkpoint") or "")),
        ("Started from", str((record.get("init_from") or {}).get("path") or "")),
        ("Pretrained weights", _weights_texts(record.get("pretrained"))),
        ("Weights of the encoder", _weights_texts(_of_encoder(record))),
        ("Code", _code(record.get("git") or {})),
        ("Seed", _text(record.get("seed"))),
        ("Splits", _listed(record.get("splits"))),
        ("Persons in one part only", _DISJOINT.get(record.get("subject_disjoint"), "")),  # type: ignore[arg-type]
        ("Left out of training", _left_out(record.get("train_filter") or {})),
        ("Deterministic", {True: "yes", False: "no"}.get(record.get("deterministic"), "")),  # type: ignore[arg-type]
        ("Test part looked at", _times(record.get("test_looks"))),
        ("Python", str(record.get("python") or "")),
        ("Machine", _machine(record.get("hardware") or {}, record.get("threads"))),
        ("Packages trusted", _trusted_texts(record)),
        ("Digest of the data", f"{digest[:12]}, whole in manifest.json" if digest else ""),
    ]
    return [(label, text) for label, text in rows if text]


def weights_text(weights: Mapping[str, Any]) -> str:
    """Which weights a network began with, and what of them it took.

    Args:
        weights: Of one place in the network, see `models.weights.record.WeightsRecord`.
    """
    left, resized = len(weights["left_out"]), len(weights["resized"])
    return (
        f"{weights['name']} ({weights['source']}; license {weights['license'] or 'not stated'}), SHA-256 "
        f"{weights['sha256'][:16]}..., {weights['taken']} tensors taken, {left} left out"
        + (f", {resized} resized" if resized else "")
    )


def _weights_texts(by_place: Any) -> str:
    """The weights that parts of a network began with, each told once."""
    return "; ".join(dict.fromkeys(map(weights_text, (by_place or {}).values())))


def _of_encoder(record: Mapping[str, Any]) -> dict[str, Any]:
    """The weights of the encoder of a store of tokens, as `encode.py` wrote them down in it."""
    found = ((record.get("preprocessing") or {}).get("provenance") or {}).get("weights")
    if not isinstance(found, Mapping):
        return {}
    # a store may come from somebody else, and no page should end a run
    return {place: one for place, one in found.items() if isinstance(one, Mapping) and set(one) >= _TOLD}


def _trusted_texts(record: Mapping[str, Any]) -> str:
    """Packages of others whose code ran, each with what was installed; older records have the names alone."""
    code: Mapping[str, Any] = record.get("trusted_packages") or {}
    return "; ".join(
        " ".join([str(name), *_of_package(code[name])] if name in code else [str(name)])
        for name in record.get("trust") or ()
    )


def _of_package(code: Mapping[str, Any]) -> list[str]:
    brought = [f"of {code['distribution']} {code['version']}"] if code["distribution"] else []
    return ["code", *brought, f"with SHA-256 {code['sha256'][:16]}..."]


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def _listed(names: Any) -> str:
    return ", ".join(map(str, names or ()))


def _code(git: Mapping[str, Any]) -> str:
    if not git.get("commit"):
        return ""
    return f"commit {git['commit']}" + (", with changes that were not committed" if git.get("dirty") else "")


def _left_out(filters: Mapping[str, Mapping[str, int]]) -> str:
    return ", ".join(f"{one['left_out']} of {one['of']} recordings ({name})" for name, one in filters.items())


def _times(count: Any) -> str:
    return "" if not count else "once" if count == 1 else f"{count} times"


def _machine(hardware: Mapping[str, Any], threads: Any) -> str:
    gpus = _listed(hardware.get("gpus")) or "no GPU"
    if not hardware:
        return ""
    cores = f"{hardware.get('cores')} cores" + ("" if threads is None else f" ({threads} used by torch)")
    return f"{hardware.get('system')} {hardware.get('machine')}, {cores}, {gpus}"
