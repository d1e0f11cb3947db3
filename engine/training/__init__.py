"""Training: one split, several folds, resuming, and what chooses the checkpoint."""
