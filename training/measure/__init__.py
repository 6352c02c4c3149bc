"""A bundle and a split -> scores and predictions in training/runs/<bundle>/. Start in `evaluate.py`."""
