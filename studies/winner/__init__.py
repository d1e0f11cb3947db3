"""Does the probability of rank 1 hold what it says, on simulated sweeps of known truth?"""
