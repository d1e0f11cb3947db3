"""Baselines of a result: constant, identity, nuisance, and the oracles of the synthetic cohort."""
