"""The manifest (one table, one row per recording), its validation, its scales and its transforms."""
