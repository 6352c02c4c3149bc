"""Tables of predictions -> scores, curves, calibration and comparisons, with intervals over lesions.

Start in `predictions.py` (the table) and `metrics.py` (the one implementation of each score); `score_table.py` puts
scores and bootstrap intervals together.
"""
