"""One recording through all steps, and many of them at once."""
