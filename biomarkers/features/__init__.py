"""Features of series: one row of numbers per recording, and a reason for every missing number."""
