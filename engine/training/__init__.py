"""Training: one split or several folds, resuming, and the choice of the checkpoint."""
