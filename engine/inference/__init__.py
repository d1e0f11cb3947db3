"""Inference with a trained network: predictions, metrics, and the result files of a run."""
