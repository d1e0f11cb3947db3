"""Uncertainty of results: intervals, tests, calibration, thresholds."""
