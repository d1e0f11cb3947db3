"""First page of a run's report: what was asked, of whom, what came out, and what it must not be used for."""
