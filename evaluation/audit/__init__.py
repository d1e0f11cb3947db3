"""What a model or its features give away, and for whom it works."""
