"""Numbers that papers printed, as constants with their inconsistencies, and our tables beside them."""
