"""Whether pretrained weights pay: ImageNet weights tuned, frozen behind a probe, and none."""
