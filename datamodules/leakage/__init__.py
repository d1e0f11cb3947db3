"""Labels, answers and identifiers among the features: by their names and by what they repeat."""
