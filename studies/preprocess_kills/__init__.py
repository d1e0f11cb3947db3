"""Study of kills: `preprocess.py` is killed at any moment, goes on, and its cache is compared."""
