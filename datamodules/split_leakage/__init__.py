"""Leakage between the parts of a split: the same person, visit, file or content on two sides."""
