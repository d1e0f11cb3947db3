"""What is MPDRM's own.

```text
clip                  -> mdfn, a trunk with mmp -> depression tokens ---.
clips of other visits -> mpfn -> personality feature -> context -----> rarm -> pooled token -> heads
```
"""
