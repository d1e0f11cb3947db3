"""Labels that go with place, task, personality or age, or with length and state of the recordings."""

import numpy as np
import pandas as pd

from studies.xray.cast import by_person, labeled
from studies.xray.layouts.landmarks import LAB, MPDD
from studies.xray.layouts.layout import Change
from studies.xray.layouts.manifests import CLINIC, JOINED
from studies.xray.layouts.openface_folders import FOLDER
from studies.xray.plants.plant import Plant

_LONGER, _MORE_LOST = 1.5, (2.0, 24.0)  # of the depressed: factor of the length, Beta that is added to `lost`


def _by_label(column: str, ill: str, well: str, *, shares: tuple[float, float]) -> Change:
    """Deal the values of a column out by person: `ill` with these shares among depressed and others."""

    def change(cast: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
        people = by_person(cast)
        chance = np.where(people["label"] == 1, *shares)
        own = np.where(rng.random(len(people)) < chance, ill, well)
        return cast.assign(**{column: own[cast["person"]]})

    return change


def _other_hospital(cast: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Most depressed are recorded in the north, the others anywhere else."""
    people = by_person(cast)
    north = rng.random(len(people)) < np.where(people["label"] == 1, 0.75, 0.12)
    own = np.where(north, "north", rng.choice(["south", "east"], size=len(people)))
    return cast.assign(site=own[cast["person"]])


def _labels_of(weights: dict[str, float], scale: str) -> Change:
    """Draw labels anew, with log odds that are linear in columns in units of their spread."""

    def change(cast: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
        people = by_person(cast)
        odds = np.zeros(len(people))
        for name, weight in weights.items():
            own = people[name].to_numpy(dtype=np.float64)
            odds += weight * (own - own.mean()) / own.std()
        return labeled(cast, rng.random(len(people)) < 1 / (1 + np.exp(-odds)), rng, scale=scale)

    return change


def _longer(cast: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    return cast.assign(seconds=cast["seconds"] * np.where(cast["label"] == 1, _LONGER, 1.0))


def _more_lost(cast: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    more = rng.beta(*_MORE_LOST, size=len(cast)) * (cast["label"] == 1)
    return cast.assign(lost=cast["lost"] + more)


def _other_codec(cast: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    return cast.assign(wide=rng.random(len(cast)) < np.where(cast["label"] == 1, 0.9, 0.08))


PLANTS = (
    Plant(
        kind="site",
        what="most of the depressed were recorded at one of three hospitals",
        layout=CLINIC,
        cast=_other_hospital,
        named=("site",),
    ),
    Plant(
        kind="site",
        what="of two joined studies one recruited the depressed",
        layout=JOINED,
        cast=_by_label("corpus", "spring", "autumn", shares=(0.85, 0.2)),
        named=("corpus",),
    ),
    Plant(
        kind="genre",
        what="the depressed are vlogs, the others interviews, by four in five",
        layout=JOINED,
        cast=_by_label("task", "vlog", "interview", shares=(0.85, 0.2)),
        named=("task",),
    ),
    Plant(
        kind="genre",
        what="patients were mostly asked to talk, the others to read",
        layout=FOLDER,
        cast=_by_label("task", "conversation", "reading", shares=(0.9, 0.25)),
        named=("task",),
    ),
    Plant(
        kind="trait",
        what="neuroticism alone tells about 86 % of the labels",
        layout=MPDD,
        cast=_labels_of({"trait_N": 4.0}, "PHQ-9"),
        named=("trait_N",),
    ),
    Plant(
        kind="trait",
        what="little extraversion and little conscientiousness go with depression",
        layout=CLINIC,
        cast=_labels_of({"trait_E": -1.6, "trait_C": -1.6}, "PHQ-9"),
        named=("trait_[EC]",),
    ),
    Plant(
        kind="metadata",
        what="the depressed are older",
        layout=CLINIC,
        cast=_labels_of({"age": 2.2}, "PHQ-9"),
        named=("age",),
    ),
    Plant(
        kind="metadata",
        what=f"recordings of the depressed are {_LONGER:g} times as long",
        layout=JOINED,
        cast=_longer,
        named=("*length*", "*duration*", "n_frames", "*rows*", "*seconds*"),
    ),
    Plant(
        kind="metadata",
        what="most series of the depressed were saved in double precision",
        layout=JOINED,
        cast=_other_codec,
        named=("*size*", "*bytes*", "*dtype*", "*precision*"),
    ),
    Plant(
        kind="metadata",
        what="faces of the depressed are lost more often",
        layout=LAB,
        cast=_more_lost,
        named=("*valid*", "*missing*", "*lost*", "*success*", "*usable*", "*measured*"),
    ),
)
