"""Losses beside the heads' own: supervised contrast, orthogonality, gradient reversal."""
