"""From Hydra's tree to plain, checked values and the objects that they name."""
