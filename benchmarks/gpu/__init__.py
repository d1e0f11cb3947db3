"""What a device reaches in a training of ours: steps, decoding, waiting for data, against its own limits."""
