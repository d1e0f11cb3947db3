"""Clusters of persons: how many, how stable, and what they have to do with the groups."""
