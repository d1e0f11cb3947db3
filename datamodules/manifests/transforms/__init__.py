"""Manifest to manifest: fewer labels, permuted labels, another questionnaire."""
