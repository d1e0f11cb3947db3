"""Forecasts of intervals and of visible differences, beside simulated studies."""
