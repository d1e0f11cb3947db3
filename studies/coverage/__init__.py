"""Coverage of our 95 % intervals, and the rejection rate of the comparison of two runs."""
