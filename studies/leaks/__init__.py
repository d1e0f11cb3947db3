"""Study of planted leaks, and of what finds them."""
