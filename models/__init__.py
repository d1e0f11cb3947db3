"""Networks, heads and losses: plain `nn.Module`s that share with the data only the batch.

Map:

- `types`: tensor legend, batch and `Output`
- `inputs`: what a branch sees (appearance, frame differences, series levels, series deltas)
- `trunks/`: pixels, timm frames, torchvision video, series, published networks -> tokens (B,T',D)
- `mpdrm/`: branches, motion gate, context, pools, and the network that every model is
- `heads`: score, binary, ordinal bands
- `losses/`: supervised contrast, orthogonality, gradient reversal, traits; objective adds them up
- `standardize`: series in units of the training part; masking keeps padding from changing anything
- `tabular`: a transformer on tables
- `task`: the one Lightning file; optim groups its parameters
"""
