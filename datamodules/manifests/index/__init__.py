"""The index of a large manifest: its checked table as a mapped Arrow file, and its rows as records."""
