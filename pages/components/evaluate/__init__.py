"""The views of the Evaluate page. Start in `source.py` (what is evaluated), then `overview.py`."""
