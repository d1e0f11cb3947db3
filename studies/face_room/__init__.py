"""What the preprocessing finds and loses in synthetic rooms whose truth is known."""
