"""The folder of a run: lock, provenance, seed, interruption, atomic writes, and studies of several runs."""
