"""Action units, gaze and questionnaires to features, statistics, clusters and classical estimators."""
