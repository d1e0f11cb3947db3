"""Series to features: one row of numbers per recording, and a reason for every number that is missing."""
