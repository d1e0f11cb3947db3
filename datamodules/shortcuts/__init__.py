"""Shortcuts: single facts of a recording by which a network might tell the label without the behavior."""
