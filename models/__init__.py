"""Networks, their bundles and how they are loaded."""

from models.tensorflow_options import set_options

set_options()  # before anything here imports Keras
