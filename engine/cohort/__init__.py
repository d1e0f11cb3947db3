"""The data of a run: its splits, the leak audit before training, and the recordings it was trained on."""
