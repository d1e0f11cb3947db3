"""A fair trial of the Symptom Discrepancy Index."""
