"""Trainings that end before their time, and leave what they can go on from."""
