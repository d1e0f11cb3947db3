"""Networks of others that convolve video: `trunk(x, mask)` returns (B,T',D) and `trunk.dim` says D.

- `msn`: several sizes of 3-D convolutions side by side, as in MSN
- `mdn`: temporal maxima and differences, no convolution through time behind the stem, as in MDN
- `sta_drn`: 3-D bottlenecks with attention over time and over space, as in STA-DRN
"""
