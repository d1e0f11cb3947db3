"""Cluster analysis of persons: number of clusters, stability, and agreement with known groups."""
