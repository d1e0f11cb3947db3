"""Trunks: map frames or series to tokens; `trunk(x, mask)` returns (B,T',D) and `trunk.dim` says D.

- `series`: channels per frame (action units, gaze, landmarks), residual temporal convolutions
- `pixels`: own light network for small faces on a CPU
- `frames`: any timm backbone with `features_only`, frame by frame
- `video`: torchvision video backbones
- `vit_video`: video transformers of tubelets, with weights of VideoMAE or V-JEPA
- `encoded`: stored tokens of a frozen encoder

Networks of others are in `models.zoo`.
"""
