"""The packet index of a video, made in one pass over its packets, and checks that the file is whole."""
