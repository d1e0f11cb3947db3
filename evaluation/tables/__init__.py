"""Tables of predictions: clips, recordings, persons."""
