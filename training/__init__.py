"""Training, evaluation and export, one command a stage."""

import models  # noqa: F401  TensorFlow's options, before anything here imports Keras
