"""What training and evaluation left on disk -> systems, training runs, ablations and the model card.

Start in `systems.py`; `evaluations.py` says where the files are.
"""
