"""What a corpus can show, told before anything is trained: intervals, differences, and a ceiling."""
