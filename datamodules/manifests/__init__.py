"""The manifest: one table, one row a recording, and every check of its rows."""
