"""Stratification of persons by label, so that the parts of a split are alike."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from datamodules.manifests.identity import person_keys

_SCORE_STRATA = 4  # our choice: quartiles of the mean score where there is no binary label to stratify by
_FEWEST_PERSONS = 5  # our choice: persons a quantile needs before it is worth its own stratum


def strata_of(table: pd.DataFrame, keys: Sequence[str] | None = None) -> dict[str, list[str]]:
    """Persons by majority label, or by quartile of their mean score where labels do not differ.

    Args:
        table: Manifest rows.
        keys: One a row of what is dealt as a whole in the place of persons, see `groups.unit_keys`.
    """
    persons = pd.DataFrame({"person": person_keys(table) if keys is None else keys})
    persons["binary"] = table["binary"].to_numpy() if "binary" in table else np.nan
    persons["score"] = table["score"].to_numpy() if "score" in table else np.nan
    mean = persons.groupby("person", sort=True)[["binary", "score"]].mean()
    majority = mean["binary"].map(lambda share: "unlabeled" if np.isnan(share) else str(int(share >= 0.5)))
    if majority.nunique() < 2 and mean["score"].nunique() > 1:
        count = max(1, min(_SCORE_STRATA, len(mean) // _FEWEST_PERSONS))
        ranks = mean["score"].rank(method="first", pct=True, na_option="bottom")
        majority = (ranks * count).map(lambda rank: str(int(np.ceil(rank))))
    return {str(name): sorted(group.index) for name, group in mean.groupby(majority.to_numpy())}


def draw(strata: dict[str, list[str]], fraction: float, rng: np.random.Generator) -> set[str]:
    """Take a fraction of each stratum, at least one person of it unless it would be emptied."""
    chosen: set[str] = set()
    for persons in strata.values():
        count = min(max(1, round(fraction * len(persons))), len(persons) - 1)
        chosen.update(rng.permutation(persons).tolist()[:count])
    return chosen


def without(strata: dict[str, list[str]], gone: set[str]) -> dict[str, list[str]]:
    """Remove persons; a stratum that is left empty disappears."""
    rest = {name: [person for person in persons if person not in gone] for name, persons in strata.items()}
    return {name: persons for name, persons in rest.items() if persons}
