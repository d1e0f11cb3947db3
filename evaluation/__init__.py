"""Evaluation of predictions: metrics with intervals, baselines, audits, reports, comparison of runs.

Lowest first: `tables` of predictions, `metrics`, `uncertainty` (intervals, tests, calibration), `summary`
(the numbers of a run), `baselines`, `audit`, `report` (pages and figures), and `comparison` of two runs.
"""
