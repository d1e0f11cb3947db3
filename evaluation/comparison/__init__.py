"""Two runs compared: `python -m evaluation.comparison run_a run_b`."""
