"""Measurements: what a claim of this project rests on, each one command."""
