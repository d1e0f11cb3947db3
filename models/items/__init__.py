"""Heads that predict all answers of one or more questionnaires at once."""
