"""Benchmarks of speed, and of accuracy on public archives; each is one command."""
