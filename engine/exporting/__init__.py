"""Exports of a trained network: a bundle of one file, its certificate, and how it is run again."""
