"""From disk to batch: manifest -> split -> frame indices -> decoded clips or series -> batches.

Lowest first: `schema` (ids) and `wording` (messages), `readers` (video) and `series` (features), `manifests`
(the table), `splits` and `guard` (who may meet whom), `clips` (recordings to batches), `datamodule` (the
Lightning side). `sources` read corpora, `synthetic` makes a cohort, `checks` look before a training.
"""
