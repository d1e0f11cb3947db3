"""Change between visits of one person, and the smallest change that is not noise."""
