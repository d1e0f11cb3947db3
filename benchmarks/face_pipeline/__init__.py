"""Speed of `preprocess.py` beside a loop of the library calls."""
