"""Clips of named feature sets on one grid of time."""
