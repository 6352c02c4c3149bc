"""A row of predictions or of the catalogue -> cards, and the dialog of one case. Start in `case.py`."""
