"""First Impressions V2 (Ponce-Lopez et al. 2016, Escalante et al. 2017): clips of 15 s and apparent Big Five.

Layout: `annotation_{training,validation,test}.pkl`, pickles of trait -> clip -> number from 0 to 1, and clips
`<11 characters of the video on YouTube>.<3 digits>.mp4` in any folders. Two facts matter for what is learned:

- Several clips come from one video, and the official parts divide videos. Who looks up the mean label of the
  other clips of the video has a mean accuracy of .91 without a frame. So the video is the person here, and a
  protocol over persons is the one to use; that a person has several videos cannot be excluded.
- What is published as neuroticism correlates positively with all other traits (.58 to .80): it was rated as
  emotional stability. `trait_N` is 1 minus the number, so that the letter means the same in every corpus.
"""

import math
import re
from pathlib import Path
from typing import Any

from datamodules.manifests.manifest import Manifest
from datamodules.sources.shared.corpus_folder import leave_out, open_corpus, visible
from datamodules.sources.shared.draft import Draft, SourceError
from datamodules.sources.shared.safe_pickle import read_pickle

_PARTS = {"training": "train", "validation": "val", "test": "test"}
_BIG_FIVE = ("openness", "conscientiousness", "extraversion", "agreeableness", "neuroticism")
_TRAITS = {name: f"trait_{name[0].upper()}" for name in _BIG_FIVE} | {"interview": "trait_interview"}
_CLIP = re.compile(r"(?P<source>[\w-]{11})\.\d{3}\.mp4")


def read(*, root: str | Path, probe: bool = True) -> Manifest:
    """One recording a clip with its traits, the official parts in `split`; no depression label exists.

    Args:
        root: Folder with `annotation_training.pkl`, or one that holds such a folder.
        probe: As in `read_manifest`.

    Raises:
        SourceError: No annotation, one that is not plain data, a trait that is missing or not 0 to 1, or a
            clip that is named otherwise or lies in two folders.
    """
    draft = open_corpus(root, name="first_impressions", marks=["annotation_training.pkl"])
    clips = _clips(draft.root)
    labelled: set[str] = set()
    for word, part in _PARTS.items():
        path = draft.root / f"annotation_{word}.pkl"
        if not path.is_file():
            leave_out(draft, "missing_annotation", [path.name], f"hence there is no part '{part}'")
            continue
        traits = _traits(path)
        draft.rows += [_row(name, clips[name], part, traits[name]) for name in traits if name in clips]
        leave_out(
            draft, "missing_file", [name for name in traits if name not in clips], "annotated, but no clip"
        )
        labelled |= traits.keys()
    leave_out(draft, "missing_annotation", sorted(clips.keys() - labelled), "no annotation names the clip")
    draft.correct("neuroticism_reversed", "trait_N", "1 - published number, which is emotional stability")
    _note_sources(draft)
    return draft.manifest(probe=probe)


def _clips(root: Path) -> dict[str, str]:
    """File name -> path from the root."""
    clips: dict[str, str] = {}
    for file in visible(root, "**/*.mp4"):
        if file.name in clips:
            raise SourceError(
                f"{file}: the clip is there twice, also as {clips[file.name]}; remove one of them"
            )
        clips[file.name] = file.relative_to(root).as_posix()
    return clips


def _traits(path: Path) -> dict[str, dict[str, float]]:
    """Clip -> column -> number."""
    table = read_pickle(path)
    if not isinstance(table, dict) or not all(isinstance(table.get(trait), dict) for trait in _TRAITS):
        raise SourceError(f"{path}: not a table of {', '.join(_TRAITS)} by clip; download it again")
    for trait in _TRAITS:
        if table[trait].keys() != table["openness"].keys():
            raise SourceError(f"{path}: '{trait}' and 'openness' are of other clips; download it again")
    return {
        name: {column: _value(table, trait, name, path) for trait, column in _TRAITS.items()}
        for name in table["openness"]
    }


def _value(table: dict[str, Any], trait: str, name: str, path: Path) -> float:
    value = table[trait][name]
    if not isinstance(value, int | float) or not math.isfinite(value) or not 0 <= value <= 1:
        raise SourceError(f"{path}: '{trait}' of {name} is {value!r}, not a number from 0 to 1")
    return 1 - value if trait == "neuroticism" else float(value)


def _row(name: str, file: str, part: str, traits: dict[str, float]) -> dict[str, Any]:
    match = _CLIP.fullmatch(name)
    if match is None:
        raise SourceError(f"{file}: the name is not <11 characters>.<3 digits>.mp4, so its video is unknown")
    return {
        "recording_id": f"first_impressions_{name.removesuffix('.mp4')}",
        "subject_id": f"first_impressions:{match['source']}",
        "session_id": "1",
        "path": file,
        "split": part,
        **traits,
    }


def _note_sources(draft: Draft) -> None:
    seen = draft.subjects("train") | draft.subjects("val")
    tested = [row["subject_id"] for row in draft.rows if row["split"] == "test"]
    leaked = sum(source in seen for source in tested)
    if leaked:
        draft.notes.append(
            f"the official parts divide videos: {leaked} of {len(tested)} test clips are from one "
            "that is also in train or val; use a protocol over persons, such as protocol=kfold"
        )
