"""Protocols that split a manifest into train, val and test, and the `Split` that they return."""
