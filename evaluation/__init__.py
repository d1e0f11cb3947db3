"""From clip predictions to results that can be believed.

Map: `predictions` checks and stores tables, `aggregate` turns clips into recordings and persons, `metrics`
holds the pure definitions, `weighted` the same under many resamples at once, `measures` says which of them
a table supports, `bootstrap` gives intervals over persons. `threshold`, `intervals` and `calibration` learn
from validation. `recording_metrics` is the streaming form used while training. `references` are the lines
beside every result, `oracle` the ceilings of a cohort whose truth is known. `summary` assembles
`metrics.json`; `figures` (drawn on `canvas`) and `report` show it.

The audit beside it: `identity_probe` and `depression_probe` (on the reader in `linear`) say what features
give away, `nuisance_audit` (on `rank_correlation`) looks for shortcuts, `label_permutation` tests the labels
against those of other persons, `slices` and `coverage` ask for whom it works; `audit_page` and
`audit_figures` show it.
"""
