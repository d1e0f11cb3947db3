"""Feature importance of fitted estimators on held-out persons, summed by family of features."""
