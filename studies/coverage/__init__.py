"""Do the intervals hold the truth, and does the comparison of two runs reject as often as it should?"""
