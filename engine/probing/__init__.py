"""Many small heads at once on the tokens of a store."""
