"""Whom an encoder has met: one that was trained on labels of persons may not be judged on them."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from datamodules.feature_leakage.channels import LeakageError
from datamodules.manifests.manifest import Manifest
from datamodules.manifests.preprocessing import FILE as RECORD
from datamodules.splits.partition import Split
from datamodules.synthetic.files import put
from datamodules.wording import first_few
from engine.checkpoints.checkpoint import RunCheckpoint
from engine.checkpoints.seen_data import PARTS, met
from engine.training.transfer import lineage
from preprocessing.cache.entry import file_stem

FILE = "encoder_seen.json"
"""Of a store: recordings of its input whose persons, files or contents trained or selected its encoder."""


def write_seen(folder: Path, checkpoint: RunCheckpoint | None, manifest: Manifest) -> None:
    """Keep in a store what its encoder has met of the recordings; of weights without a run there is nothing.

    Args:
        folder: The store.
        checkpoint: Of the run that the encoder came from; the runs that it started from count as well.
        manifest: What is encoded.
    """
    ids = manifest.table["recording_id"].tolist()
    found: dict[str, dict[str, list[str]]] = {part: {"persons": [], "files": []} for part in PARTS}
    for run in [] if checkpoint is None else lineage(checkpoint):
        for part in PARTS:
            known = met(run.seen, manifest, ids, (part,))
            found[part]["persons"] += known.persons
            found[part]["files"] += (*known.files, *known.alike)
    plain = {part: {kind: sorted(set(names)) for kind, names in one.items()} for part, one in found.items()}
    put(folder / FILE, json.dumps(plain, indent=1).encode())


def check_encoder(manifest: Manifest, splits: Sequence[Split]) -> None:
    """Stop where tokens are of an encoder that was trained, or selected, on who is judged here.

    Recordings are told by their files of tokens, which keep their names where ids get others, as in
    `data=joined`.

    Raises:
        LeakageError: Names the recordings, or a store that has lost whom its encoder met.
    """
    stores: dict[Path, dict[str, str]] = {}  # folder -> name of a file of tokens -> id of the recording here
    for one in manifest.recordings():
        if one.tokens_path is not None:
            stores.setdefault(one.tokens_path.parents[1], {})[one.tokens_path.stem] = one.recording_id
    for folder, ids in stores.items():
        if not (folder / FILE).is_file():
            if not (folder / RECORD).is_file():  # tokens of others, of which nothing is known
                continue
            raise LeakageError(
                f"{folder / FILE}: is missing, and it alone says whom the encoder has met. Copy it from "
                "where the store was made, or give its command of encode.py once more: what is done stays"
            )
        known = json.loads((folder / FILE).read_text(encoding="utf-8"))
        for split in splits:
            _check(folder, known, ids, split)


def _check(
    folder: Path, known: dict[str, dict[str, list[Any]]], ids: Mapping[str, str], split: Split
) -> None:
    judged = {"train": {*split.val, *split.test}, "val": {*split.test}}
    kinds = ("persons", "files") if split.subject_disjoint else ("files",)
    leaks = {
        ids[stem]
        for part, asked in judged.items()
        for kind in kinds
        for stem in map(file_stem, known[part][kind])
        if ids.get(stem) in asked
    }
    if leaks:
        raise LeakageError(
            f"{split.name}: the encoder of {folder.name} was trained or selected on persons or files "
            f"that are judged here: {first_few(sorted(leaks), of=len(leaks))}. Encode with a checkpoint of "
            "other persons, or one trained on the training part of this very split, or with weights that saw "
            "no label"
        )
