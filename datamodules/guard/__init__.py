"""What must never meet: the leakage guard, equal content under two names, and telling facts of the input."""
