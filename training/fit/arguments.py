"""The arguments that both training commands take."""

import argparse
import multiprocessing
from pathlib import Path

import keras

from core.datasets.ham10000 import default_data_dir


def parse_arguments(description: str) -> argparse.Namespace:
    """The command line; from here on layers compute in the precision asked for."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--config", required=True, help="name in training/configs/ or a .py file")
    parser.add_argument(
        "--data", type=Path, default=default_data_dir(), help="folder of the sets, or HAM10000"
    )
    parser.add_argument("--imagenet", default="imagenet", help="weights file; by default Keras downloads")
    parser.add_argument("--devices", type=int, default=1, help="train data-parallel on this many")
    parser.add_argument("--workers", type=int, default=1, help="processes that prepare batches")
    parser.add_argument(
        "--precision",
        choices=("float32", "mixed_bfloat16"),
        default="float32",
        help="mixed_bfloat16 is faster on recent GPUs",
    )
    parser.add_argument("--limit", type=int, help="use only this many images, to try things out")
    arguments = parser.parse_args()
    if arguments.workers < 1:
        parser.error(f"--workers must be at least 1; got {arguments.workers}")
    if arguments.workers > 1 and "fork" not in multiprocessing.get_all_start_methods():
        parser.error("--workers needs an operating system that can fork processes; leave it out here")
    keras.config.set_dtype_policy(arguments.precision)
    return arguments
