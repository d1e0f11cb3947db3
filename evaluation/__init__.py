"""From clip predictions to results that can be believed.

Lowest first: `tables` of predictions, `metrics`, `uncertainty` (intervals, tests, calibration), `summary` and
`averaged` (the numbers of a run, or of several), `baselines`, `audit`, `report` (pages and figures), and
`comparison` of two runs.
"""
