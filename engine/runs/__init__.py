"""The folder of a run: lock, provenance, seed, interruption, whole files."""
