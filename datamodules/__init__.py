"""From disk to batch: manifest -> split -> frame indices -> decoded clips or series -> batches.

Lowest first: `schema` (ids) and `wording` (messages), `readers` (video) and `leakage` (labels in features),
`series` (features), `manifests` (the table), `splits` and `clips` (recordings to batches), `guard` (leakage
between the parts of a split), `datamodule` (the Lightning side). `synthetic` makes a cohort, `sources` read
corpora, `checks` inspect data and machine before a training.
"""
