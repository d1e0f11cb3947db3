"""Study of the Symptom Discrepancy Index: the published recipe, factor by factor."""
