"""Frozen encoders over recordings: frames to stored tokens, once."""
