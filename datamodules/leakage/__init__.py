"""Detection of labels, answers and identifiers among the features, by name and by content."""
