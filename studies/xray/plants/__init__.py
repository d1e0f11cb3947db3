"""Thirty defects to plant, at least two of every kind."""

from studies.xray.plants import clocks, confounds, damaged, repeated, second_faces, telling_names
from studies.xray.plants.plant import KINDS, STATISTICAL, Plant, planted

__all__ = ["KINDS", "PLANTS", "STATISTICAL", "Plant", "planted"]

PLANTS = (
    *damaged.PLANTS,
    *repeated.PLANTS,
    *second_faces.PLANTS,
    *clocks.PLANTS,
    *confounds.PLANTS,
    *telling_names.PLANTS,
)
