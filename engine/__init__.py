"""Plumbing that `train.py`, `eval.py` and `predict.py` share.

compose      Hydra's tree -> one plain, checked dict
selection    only validation may choose a checkpoint or drive a sweep
targets      which `_target_` a config may name, decided before anything is imported
build        plain dict -> objects
seed         one seed for a run, stateless seeds for its steps
checkpoint   weights + config + statistics + digest in one file that loads with `weights_only=True`
provenance   `manifest.json`: what ran, on what, with which result; environment: code, packages, machine
callbacks    seeding of steps, learning curves
predictions  network + loader -> clip table
filmstrips   clips and their attention, for the report
run          a protocol of one split or several; fit: one split, from statistics to written results
trial        one training of a study, up to its predictions: what benchmarks compare
crossval     several splits: folds, pooled (pool)
assess       clip table -> metrics, reference lines, oracle; write: the files of a run
rebuild      checkpoint -> network
quiet        messages of Lightning that say nothing about a run
evaluate     a checkpoint on its own test split or on any other manifest
predict      a checkpoint on unlabeled video
"""
