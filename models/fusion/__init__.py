"""Fusion of feature sets: mixed before one trunk, or a network for each set."""
