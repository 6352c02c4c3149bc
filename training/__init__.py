"""Images and expert labels -> trained weights, a bundle and its scores; one command a stage.

Start in `recipe.py`, which is `make train`; the stages go data -> fit -> bundle -> measure -> report.
"""

import models  # noqa: F401  TensorFlow's options, before anything here imports Keras
