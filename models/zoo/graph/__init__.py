"""Networks of others on graphs: `trunk(x, mask)` returns (B,T',D) and `trunk.dim` says D.

- `dep_mgnn`: feature maps as nodes, edges between scales and between frames, as in DepMGNN
"""
