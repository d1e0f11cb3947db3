"""Protocols beside those of `datamodules.splits`: repeated and nested folds, corpus against corpus."""
