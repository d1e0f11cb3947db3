"""Transforms of a manifest: fewer labels, permuted labels, another questionnaire."""
