"""Defects planted into made-up data sets, and clean ones beside them, for the check that looks for such."""
