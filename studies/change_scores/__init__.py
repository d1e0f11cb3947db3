"""False alarms and power of change scores, on persons whose true change is known."""
