"""Answers of simulated persons with a known structure."""

import numpy as np
import pandas as pd


def partial_credit(persons, items=7, *, profile=0.0, discrimination=1.5, seed=0):
    """Partial credit answers 0-3; `profile` is the weight of two symptom profiles beside the severity."""
    rng = np.random.default_rng(seed)
    severity, kinds = rng.standard_normal((persons, 1)), rng.standard_normal((persons, 2))
    trait = np.sqrt(1 - profile**2) * severity + profile * kinds[:, np.arange(items) % 2]
    steps = np.linspace(-0.3, 0.3, items)[:, None] + np.array([0.25, 1.1, 1.8])  # (J, 3)
    slope = np.broadcast_to(discrimination, items)[:, None]
    logits = np.cumsum(slope * (trait[:, :, None] - steps), axis=2)
    logits = np.concatenate([np.zeros((persons, items, 1)), logits], axis=2)
    values = (logits + rng.gumbel(size=logits.shape)).argmax(axis=2)
    return pd.DataFrame(values, columns=[f"q{j}" for j in range(items)], dtype=np.float64)
