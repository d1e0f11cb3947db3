"""From recordings to batches: which frames make a clip, which clips travel together, and their tensors."""
