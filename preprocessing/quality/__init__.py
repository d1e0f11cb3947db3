"""Which frames can be used, and why the others cannot."""
