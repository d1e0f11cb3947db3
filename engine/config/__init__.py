"""Configs: from Hydra's tree to plain, checked values and to the objects that they name."""
