"""Networks of others that weigh frames, parts or patches: `trunk(x, mask)` returns (B,T',D).

- `li_fpn`: weights of frames and of levels, as in LI-FPN
- `lmtformer`: a light transformer of several scales, as in LMTformer
- `pra_net`: parts of a frame and their relation to the whole, as in PRA-Net
"""
