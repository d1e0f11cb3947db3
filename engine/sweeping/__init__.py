"""Sweeps: a study of Optuna whose trials are training runs that survive the death of who trains them."""
