"""Trained runs -> a bundle: weights, manifest, thresholds, prediction sets, all chosen on the validation split.

Start in `export.py`, then `fit_trust.py`.
"""
