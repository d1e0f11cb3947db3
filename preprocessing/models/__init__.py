"""Files of the face networks: where they come from, what they are, and where they lie."""
