"""Preprocess: `python preprocess.py input=<folder or manifest> output=<cache>`; see conf/preprocess.yaml."""
