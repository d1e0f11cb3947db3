"""Features of facial series, group comparisons, clusters, symptoms and classical estimators."""
