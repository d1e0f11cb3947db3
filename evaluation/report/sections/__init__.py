"""Sections of the report page that come from one table each."""
