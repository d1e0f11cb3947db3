"""MPDRM: its two branches, motion patterns (mmp), personality context, relation attention and whole network.

```text
clip                  -> MDFN, a trunk with mmp -> depression tokens ---.
clips of other visits -> MPFN -> personality feature -> context -----> rarm -> pooled token -> heads
```

A baseline is the upper line alone, with a mean in place of rarm.
"""
