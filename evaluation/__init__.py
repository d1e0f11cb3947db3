"""From clip predictions to results that can be believed.

Map: `predictions` checks and stores tables, `aggregate` turns clips into recordings and persons, `metrics`
holds the pure definitions, `weighted` the same under many resamples at once, `measures` says which of them
a table supports, `bootstrap` gives intervals over persons. `threshold`, `intervals` and `calibration` learn
from validation. `recording_metrics` is the streaming form used while training. `references` are the lines
beside every result, `oracle` the ceilings of a cohort whose truth is known. `summary` assembles
`metrics.json`; `figures` (drawn on `canvas`) and `report` show it.
"""
