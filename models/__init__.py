"""A bundle's folder -> networks that are ready to run; imports nothing of `core`.

Start in `manifest.py` (what a bundle states) and `loading.py`; `unet.py` and `efficientnet.py` are the networks.
"""

from models.tensorflow_options import set_options

set_options()  # before anything here imports Keras
