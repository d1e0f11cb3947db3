"""MPDRM: its two branches, motion patterns, personality context, relation attention and whole network.

```text
clip                  -> mdfn, a trunk with mmp -> depression tokens ---.
clips of other visits -> mpfn -> personality feature -> context -----> rarm -> pooled token -> heads
```
"""
