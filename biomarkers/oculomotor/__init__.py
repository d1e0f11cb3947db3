"""Eyes: where they look, how they move and close, and what the pupil of a shape model is worth."""
