"""Self-contained checkpoints: how they are written, and how they are verified before use."""
