"""Studies whose results are pages of `docs/`: `python -m studies.<name>` repeats one."""
