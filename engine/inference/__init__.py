"""From a trained network to predictions, numbers and the files of a run."""
