"""Persons of MPDD: sex, age and the Big Five, where the files hold them as numbers."""

import json
from pathlib import Path
from typing import Any

from datamodules.sources.reading.builder import Draft, SourceError
from datamodules.sources.reading.layout import visible

_TRAITS = {
    "Openness": "trait_O",
    "Conscientiousness": "trait_C",
    "Extraversion": "trait_E",
    "Agreeableness": "trait_A",
    "Neuroticism": "trait_N",
}
_KEYS = ("big5_scores", "big5_traits")  # sums of two items; where these are missing, what was made of them
_SEX = {"female": "F", "male": "M"}


def people_of(draft: Draft, labels: Path) -> dict[str, dict[str, Any]]:
    """Columns of everyone in `personalized_*.json`, by number; none where there is no such file.

    Args:
        draft: Takes a note of where the traits come from, or why there are none.
        labels: Folder of the file.

    Raises:
        SourceError: Several such files, one that is no table of people, or an unknown sex.
    """
    files = visible(labels, "personalized_*.json")
    if not files:
        draft.notes.append(
            f"{labels.relative_to(draft.root)}: no personalized_*.json, hence neither traits nor age"
        )
        return {}
    if len(files) > 1:
        raise SourceError(f"{labels}: {len(files)} files personalized_*.json; keep one")
    people = read_json(files[0])
    if not isinstance(people, dict) or not all(isinstance(person, dict) for person in people.values()):
        raise SourceError(f"{files[0]}: not a table of people by number; download it again")
    key = next((key for key in _KEYS if _numeric(people, key)), None)
    where = files[0].relative_to(draft.root)
    if key is None:
        draft.notes.append(f"{where}: no Big Five as numbers, hence no traits")
    else:
        draft.notes.append(f"{where}: traits are '{key}' as published, in its own units")
    return {str(number): _columns(person, key, files[0]) for number, person in people.items()}


def read_json(path: Path) -> Any:
    """Parse a file.

    Raises:
        SourceError: It is not JSON.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8-sig"))
    except ValueError as fault:
        raise SourceError(f"{path}: not readable as JSON ({fault}); download it again") from fault


def _numeric(people: dict[str, dict[str, Any]], key: str) -> bool:
    """Whether someone has all five under this key, and everyone who has the key has them as numbers."""
    given = [person[key] for person in people.values() if key in person]
    return bool(given) and all(
        isinstance(traits, dict) and all(isinstance(traits.get(name), int | float) for name in _TRAITS)
        for traits in given
    )


def _columns(person: dict[str, Any], key: str | None, path: Path) -> dict[str, Any]:
    columns: dict[str, Any] = {}
    if key is not None and key in person:
        columns |= {column: person[key][name] for name, column in _TRAITS.items()}
    if "gender" in person:
        word = str(person["gender"]).strip().lower()
        if word not in _SEX:
            raise SourceError(f"{path}: 'gender' is {person['gender']!r}; known are {', '.join(_SEX)}")
        columns["sex"] = _SEX[word]
    if "age" in person:
        columns["age"] = person["age"]
    return columns
