"""A seed -> a drawn dermoscopic image with its exact mask, or a drawn image of something else; no patient data.

Start in `lesions.py`; `scenes.py` draws what is no lesion.
"""
