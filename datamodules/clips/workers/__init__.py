"""Workers of a loader: what each of them is doing."""
