"""Study of kills: workers of `sweep.py` are killed at random moments, and its table is compared."""
