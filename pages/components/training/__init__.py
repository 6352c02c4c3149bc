"""The views of the Training page but Learn: `systems.py`, `comparisons.py` and `runs.py`."""
