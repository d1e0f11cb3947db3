"""Facial series from landmarks: pose, gaze, lids, proxies of action units."""
