"""What a corpus can show, before anything is trained: `python -m engine.forecast`."""
