"""From disk to batch: manifest -> split -> frame indices -> decoded clips or series -> batches.

`manifest` reads the table, `splits` and `guard` decide who may meet whom, `clips` which frames are looked at,
`readers` and `series` what is in them, `batches` which clips travel together, `dataset` and `collate` build
the batch, `transforms` works on it on the device, and `datamodule` is the one file that knows Lightning.
"""
