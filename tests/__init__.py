import models  # noqa: F401  TensorFlow's options, before any test imports Keras
