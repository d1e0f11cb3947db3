"""Leakage guard of splits, detection of near-duplicate recordings, and facts for leak audits."""
