"""X-ray of a corpus: what is wrong with its files and what its table tells, found without a network."""
