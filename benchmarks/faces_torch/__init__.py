"""The torch backend for faces beside the one on LiteRT."""
