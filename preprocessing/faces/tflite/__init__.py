"""TFLite files as torch modules."""
