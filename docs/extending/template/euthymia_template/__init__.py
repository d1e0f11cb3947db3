"""A trunk, a source of recordings and a callback for Euthymia: copy, rename, replace."""
