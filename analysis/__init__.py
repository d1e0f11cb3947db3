"""Analyses of facial series: what `analyze.py` runs.

`run` reads the data once (`step_data`), guards them (`leak_guard`) and calls the steps of the config one by
one; `out_of_fold` fits estimators under the protocol of the networks.
"""
