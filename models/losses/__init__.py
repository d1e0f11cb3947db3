"""Losses beside those of the heads: supervised contrast, orthogonality, gradient reversal, traits."""
