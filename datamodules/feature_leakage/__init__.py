"""Leakage into the features: labels, answers and identifiers among them, by name and by content."""
