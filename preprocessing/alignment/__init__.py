"""From landmarks to a crop that stands still: similarity, smoothing, oval."""
