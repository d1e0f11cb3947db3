"""From disk to batch: manifest -> split -> frame indices -> decoded clips or series -> batches.

Lowest first: `schema` (ids), `wording` (messages) and `processes` (workers that end with their parent),
`readers` (video) and `feature_leakage` (labels in features), `series` (features), `manifests` (the table),
`splits` and `clips` (recordings to batches), `split_leakage` (leakage between the parts of a split) and
`shortcuts` (facts for the leak audit), `datamodule` (the Lightning side). `synthetic` makes a cohort,
`sources` read corpora, `checks` inspect data and machine before a training.
"""
