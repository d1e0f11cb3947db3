"""Checks of the columns, values and clocks of series files."""
