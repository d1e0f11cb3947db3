"""Baselines of a result: without a face, from earlier scores, on the same series; oracles of the cohort."""
