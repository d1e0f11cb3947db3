"""A closer look at a checkpoint: audits, attributions, filmstrips."""
