"""From recordings to batches: sampling of clips, composition of batches, decoding, transforms."""
