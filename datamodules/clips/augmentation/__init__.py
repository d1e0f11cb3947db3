"""Augmentation of series: noise, masks, shifts, and persons who are made up anew."""
