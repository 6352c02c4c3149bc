"""The views of the Training page: `systems.py`, `comparisons.py`, `runs.py` and `learn.py`."""
