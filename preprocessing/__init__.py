"""Raw video to tracked, aligned, quality-gated face clips and facial series: what `preprocess.py` runs."""
