"""The commands `train`, `evaluate` and `predict`, and what they share.

Lowest first: `config` (values and objects), `runs` (the folder of a run), `checkpoints`, `cohort` (splits and
leak audit), `inference` (predictions, numbers, files), `inspection` (audits, attributions), `training`.
"""
