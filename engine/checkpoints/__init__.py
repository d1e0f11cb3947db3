"""Self-contained checkpoints: what is written, and what of a file is believed."""
