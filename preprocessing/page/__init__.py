"""The page faces.html: what a person looks at before training."""
