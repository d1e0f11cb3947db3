"""Helpers shared by the sources: finding files, label tables, answers, and building the manifest."""
