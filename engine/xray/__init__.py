"""X-ray of a corpus: which defects are there, and which score each of them alone would buy."""
