"""Networks of others on series: `trunk(x, mask)` returns (B,T',D) and `trunk.dim` says D.

- `lstm`: bidirectional LSTM
- `inception_time`: InceptionTime
- `tcn`: dilated convolutions over pooled steps, as on LMVD
- `state_space`: selective state spaces in both directions, as in DepMamba; scan is its recurrence
- `facial_pulse`: two recurrent streams on landmarks, as in FacialPulse
- `batch_norm`: batch normalization over real steps, which these networks were published with
"""
