"""Groups of persons: comparison, correlation with scores, profiles over time."""
