"""Trainings that are ended at any moment, resumed, and held against uninterrupted ones."""
