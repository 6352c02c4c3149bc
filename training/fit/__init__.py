"""Batches and a configuration -> trained weights in a run's folder.

Start in `train_segmentation.py` or `train_classification.py`; `engine.py` is the loop that both use.
"""
