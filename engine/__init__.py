"""Plumbing that `train.py`, `eval.py` and `predict.py` share.

compose      Hydra's tree -> one plain, checked dict
targets      which `_target_` a config may name, decided before anything is imported
build        plain dict -> objects
seed         one seed for a run, stateless seeds for its steps
checkpoint   weights + config + statistics + digest in one file that loads with `weights_only=True`
provenance   `manifest.json`: what ran, on what, with which result; environment: code, packages, machine
callbacks    seeding of steps, learning curves
predictions  network + loader -> clip table
run          one split: fit, choose on validation, predict, measure, write
crossval     several splits: folds, pooled
evaluate     a checkpoint on its own test split or on any other manifest
predict      a checkpoint on unlabeled video
"""
