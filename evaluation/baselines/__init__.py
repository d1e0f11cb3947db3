"""Baselines of a result: without a face, from earlier scores, of the same series, and oracles of the cohort."""
