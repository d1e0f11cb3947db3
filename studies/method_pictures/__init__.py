"""Pictures of the method pages: chains of boxes whose shapes are those of the built networks."""
