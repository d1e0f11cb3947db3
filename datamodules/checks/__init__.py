"""Commands that look at data and machine before a training: `validate` and `doctor`."""
