"""Networks of others beside ours: one cohort, the same persons, as many trials of validation for each."""
