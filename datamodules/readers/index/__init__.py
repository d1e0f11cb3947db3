"""The packet index: what one pass over the packets of a video says, and whether the file is whole."""
