"""Features of facial series, group comparisons, clusters, symptoms, published tables, estimators."""
