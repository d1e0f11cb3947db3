"""Report, audit and attribution pages, and their figures."""
