"""Average two networks that learned half of the validation lesions each, so that their mean has learned all.

    python -m training.merge_halves --runs classification_v2b0_pair_half_a classification_v2b0_pair_half_b \
        --name classification_v2b0_pair_halves

The mean of their weights goes to training/runs/<name>/ like a trained run. Nothing is chosen: no validation image
is left to choose by. The scores beside it are the two runs' own, each on the half that it has not learned, all
answers scored together (`training.halves`).

Reference:
    Wortsman et al. (2022), Model soups, arXiv:2203.05482.
"""

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from core.datasets.ham10000 import HALVES, default_data_dir
from training.average import average_weights, build_network, read_config, read_weights, write_merged
from training.command import in_words
from training.fit import train_segmentation
from training.fit.train_classification import class_numbers, predict_logits, score_logits, view_squares
from training.fit.train_segmentation import SegmentationConfig, load_split_arrays


def score_halves(configs: Sequence, networks: Sequence, data: Path) -> dict[str, float]:
    """Validation scores of all images, each answered by the network of the configuration that it judges."""
    parts = [load_split_arrays(data, [config.judge], config.long_side_px) for config in configs]
    if isinstance(configs[0], SegmentationConfig):
        scores = [
            train_segmentation.make_validator(images, masks, config.model["input_size_px"])(network)
            for config, network, (_, images, masks) in zip(configs, networks, parts, strict=True)
        ]
        sizes = [len(images) for _, images, _ in parts]
        return {name: float(np.average([s[name] for s in scores], weights=sizes)) for name in scores[0]}
    logits = [
        predict_logits(network, view_squares(images, masks, config), config.n_classes)
        for config, network, (_, images, masks) in zip(configs, networks, parts, strict=True)
    ]
    labels = [class_numbers(rows["dx"], config) for config, (rows, *_) in zip(configs, parts, strict=True)]
    pooled = {view: np.concatenate([half[view] for half in logits]) for view in logits[0]}
    return score_logits(pooled, np.concatenate(labels))


def merge(name: str, runs: Sequence[str], data: Path) -> None:
    """Write the averaged run's folder.

    Raises:
        ValueError: the runs are not judged by the two halves of the validation split, or differ in their model.
    """
    configs = [read_config(run) for run in runs]
    if sorted(config.judge for config in configs) != sorted(HALVES):
        raise ValueError(f"{' and '.join(runs)} must be judged by {' and '.join(HALVES)}.")
    if configs[0].model != configs[1].model:
        raise ValueError(f"{' and '.join(runs)} must have the same architecture, input size and shares.")
    networks = [build_network(config) for config in configs]
    weights = [read_weights(network, run) for network, run in zip(networks, runs, strict=True)]
    scores = score_halves(configs, networks, data)
    config = replace(configs[0], name=name, learn=("train", *HALVES), judge="")
    write_merged(config, average_weights(*weights, share=0.5), scores, average_of=list(runs))
    print(f"Each on the half that it has not learned: {scores}")


@in_words
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", nargs=2, required=True, help="two runs in training/runs/")
    parser.add_argument("--name", required=True, help="of the new run")
    parser.add_argument("--data", type=Path, default=default_data_dir(), help="HAM10000 folder")
    a = parser.parse_args()
    merge(a.name, a.runs, a.data)


if __name__ == "__main__":
    main()
