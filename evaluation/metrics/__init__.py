"""Every metric, what it needs of a table, and its value under weights."""
