"""Names and numbers of files and persons that tell the label."""

import numpy as np
import pandas as pd

from studies.xray.layouts.landmarks import DVLOG
from studies.xray.layouts.openface_folders import FOLDER, LMVD
from studies.xray.plants.plant import Plant

_FIRST_LONG = 602  # LMVD: ids below are those of the depressed
_ANY = ("*name*", "*number*", "*order*", "*folder*", "*id", "*id*", "*path*", "file*", "index", "*row*")


def _marked(cast: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """`_dep` behind the names of most of the depressed."""
    own = (cast["label"] == 1) & (rng.random(len(cast)) < 0.75)
    return cast.assign(name=cast["name"] + np.where(own, "_dep", ""))


def _three_digits(cast: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Ids of the depressed below those of the others, as LMVD has them."""
    low = rng.permutation(np.arange(1, _FIRST_LONG)).tolist()
    high = rng.permutation(np.arange(_FIRST_LONG, 3 * _FIRST_LONG)).tolist()
    return cast.assign(name=[f"{low.pop():03d}" if ill else f"{high.pop():04d}" for ill in cast["label"]])


def _class_by_class(cast: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Running numbers given to the depressed first, but for one in ten of all who came late."""
    late = np.where(rng.random(len(cast)) < 0.1, 3.0, 0.0)
    turn = np.argsort(np.argsort(1 - cast["label"] + late + 0.5 * rng.random(len(cast))))
    return cast.assign(name=[str(place) for place in turn.tolist()])


PLANTS = (
    Plant(
        kind="file_name",
        what="`_dep` ends the names of three in four files of the depressed",
        layout=FOLDER,
        cast=_marked,
        named=(*_ANY, "*dep*", "*word*"),
    ),
    Plant(
        kind="file_name",
        what="ids of the depressed have three digits, those of the others four",
        layout=LMVD,
        cast=_three_digits,
        named=_ANY,
    ),
    Plant(
        kind="file_name",
        what="vlogs were numbered class by class, but for one in ten",
        layout=DVLOG,
        cast=_class_by_class,
        named=_ANY,
    ),
)
