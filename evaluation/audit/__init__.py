"""Audits of a model and its features: probes, shortcuts, leaks, subgroups, attributions."""
