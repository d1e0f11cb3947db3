"""Metrics: definitions, catalog, which of them a table supports, weighted and streaming forms."""
