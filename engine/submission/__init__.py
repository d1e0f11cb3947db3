"""Tables that challenges take: one row a person, made of `predictions.csv`."""
