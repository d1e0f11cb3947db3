"""Finding of faces in frames: boxes, landmarks and confidence, by one of several backends."""
