"""The synthetic room: a drawn face in a larger moving scene that makes preprocessing hard, with its truth."""
