"""Inspection of a checkpoint: audits, attributions, filmstrips, check of its statistics."""
