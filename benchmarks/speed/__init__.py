"""What the speed benchmarks share: rounds in turn with an interval, and batches that are in memory."""
