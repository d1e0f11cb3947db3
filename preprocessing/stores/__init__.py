"""Files that hold aligned clips."""
