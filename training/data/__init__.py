"""Folders of images -> splits by lesion and augmented batches.

Start in `sets.py` (which images), then `batches.py`; `download.py` fetches datasets, `make_split.py` splits them once.
"""
