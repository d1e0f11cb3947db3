"""Planted leaks, and what finds them."""
