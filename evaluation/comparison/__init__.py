"""Comparison of two runs: `python -m evaluation.comparison run_a run_b`."""
