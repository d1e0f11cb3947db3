"""Who is in a made-up data set: persons, visits and recordings, with labels that nothing of them predicts.

A cast has one row a recording. Labels are drawn last and from nothing else, honestly: by bad luck site, age
or length can go with them a little in a clean cast, as in every real one.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

TRAITS = ("O", "C", "E", "A", "N")
PREVALENCE = 0.45  # our choice: near the shares of corpora that recruit patients and controls
_SECONDS, _SPREAD, _SHORTEST, _LONGEST = 20.0, 0.3, 10.0, 40.0  # lengths: log-normal, our choices
_LOST = (2.0, 38.0)  # Beta of the share of frames without a face: 5 % in the mean, our choice
_PARTS = {"train": 0.6, "val": 0.2, "test": 0.2}
_VISITS = {1: 0.7, 2: 0.2, 3: 0.1}
_TOTALS = {"PHQ-9": (10, 24), "BDI-II": (14, 45), "PHQ-8": (10, 22)}  # cut, and highest that is drawn


def draw_cast(
    rng: np.random.Generator,
    *,
    persons: int,
    tasks: Sequence[str] = ("interview",),
    tasks_each: int = 1,
    sites: Sequence[str] = ("",),
    devices: Sequence[str] = ("",),
    visits: bool = False,
    seconds: float = _SECONDS,
    scale: str = "PHQ-9",
) -> pd.DataFrame:
    """Draw persons and their recordings.

    Args:
        rng: Decides everything.
        persons: How many.
        tasks: What may be recorded.
        tasks_each: Tasks of every visit, drawn without repetition.
        sites: Where persons are recorded, each at one.
        devices: Cameras, one a recording.
        visits: Whether some come two or three times.
        seconds: Median length.
        scale: Questionnaire of `score`.

    Returns:
        `person, visit, task, site, sex, age, split, trait_*, seconds, lost, device, key` and the columns of
        `labeled`; `key` is the number of the recording, from which its content is drawn.
    """
    own = _persons(rng, persons, sites)
    own["visits"] = rng.choice(list(_VISITS), size=persons, p=list(_VISITS.values())) if visits else 1
    rows = []
    for number, person in enumerate(own.to_dict("records")):
        for visit in range(1, int(person["visits"]) + 1):
            for task in rng.choice(list(tasks), size=tasks_each, replace=False).tolist():
                rows.append({"person": number, "visit": visit, "task": task})
    cast = pd.DataFrame(rows).join(own.drop(columns="visits"), on="person")
    length = np.exp(rng.normal(np.log(seconds), _SPREAD, len(cast)))
    span = seconds / _SECONDS
    cast["seconds"] = np.clip(length, _SHORTEST * span, _LONGEST * span)
    cast["lost"] = rng.beta(*_LOST, size=len(cast))
    cast["device"] = rng.choice(list(devices), size=len(cast))
    cast["key"] = np.arange(len(cast))
    return labeled(cast, rng.random(persons) < PREVALENCE, rng, scale=scale)


def _persons(rng: np.random.Generator, persons: int, sites: Sequence[str]) -> pd.DataFrame:
    shares = rng.dirichlet(np.full(len(sites), 8.0))  # sites are of unequal size
    table = pd.DataFrame(
        {
            "site": rng.choice(list(sites), size=persons, p=shares),
            "sex": rng.choice(["F", "M"], size=persons, p=[0.6, 0.4]),
            "age": np.clip(rng.normal(34, 11, persons), 18, 75).round().astype(int),
            "split": rng.choice(list(_PARTS), size=persons, p=list(_PARTS.values())),
        }
    )
    for trait in TRAITS:
        table[f"trait_{trait}"] = np.clip(rng.normal(3, 0.7, persons), 1, 5).round(2)
    return table


def labeled(
    cast: pd.DataFrame, depressed: np.ndarray, rng: np.random.Generator, *, scale: str
) -> pd.DataFrame:
    """The cast with these labels (a truth value a person), and a total of the scale for every visit."""
    cut, highest = _TOTALS[scale]
    totals = {}
    for person, visit in dict.fromkeys(zip(cast["person"], cast["visit"], strict=True)):
        ill = bool(depressed[person])
        totals[person, visit] = int(rng.integers(cut, highest + 1) if ill else rng.integers(0, cut))
    return cast.assign(
        scale=scale,
        label=np.asarray(depressed, dtype=int)[cast["person"]],
        score=[totals[key] for key in zip(cast["person"], cast["visit"], strict=True)],
    )


def by_person(cast: pd.DataFrame) -> pd.DataFrame:
    """The first recording of everybody, in the order of persons."""
    return cast.drop_duplicates("person").sort_values("person").reset_index(drop=True)


def shuffled_names(rng: np.random.Generator, count: int, pattern: str, *, first: int = 1) -> list[str]:
    """Names with running numbers, dealt out at random: nobody numbers persons by their label."""
    return [pattern.format(number) for number in rng.permutation(np.arange(first, first + count)).tolist()]
