"""Groups of persons: comparison, profiles over time, the published tables beside ours."""
