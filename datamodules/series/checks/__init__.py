"""What is wrong with columns and clocks of a series file: counters, names alike, wild values, mixed units."""
