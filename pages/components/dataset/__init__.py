"""The views of the Dataset page. Start in `context.py` (what all views share), then `browse.py`."""
