"""Eyes: gaze, movements, blinks, and whether the pupil estimated by a shape model is usable."""
