"""Weights that others trained: where they are, what is in them, and whether they belong to a network.

- `record`: what is told of weights that were taken, and what they expect to be shown
- `files`: the tensors of a file, read without running anything, and its digest
- `locate`: a file, an id of the Hugging Face hub or a known package, as one file and its digest
- `match`: tensors against those of a network, by name and shape

Nothing here knows a backbone: what timm, torchvision and video transformers need is with their trunks.
"""
