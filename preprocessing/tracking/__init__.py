"""Following of one person through a recording."""
