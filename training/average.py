"""Average the weights of two networks, the second trained on from the first, and keep what validates best.

    python -m training.average --runs classification_v2b0 classification_v2b0_mixup --name classification_v2b0_soup

Two classifiers or two segmenters. Every share of the second run and every input size asked for is scored on the
validation split; the best by macro AUC or Dice goes to training/runs/<name>/ like a trained run, with all
scores in averages.csv. With --worse the split is scored a second time, every photograph corrupted once
(`training.data.corruptions.corrupt_each`), and the mean of both scores decides: what was learned of worse photographs
is weighed against what it cost on good ones.

References:
    Wortsman et al. (2022), Model soups, arXiv:2203.05482.
    Wortsman et al. (2022), Robust fine-tuning of zero-shot models, arXiv:2109.01903.
"""

import argparse
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pandas as pd

from core.datasets.ham10000 import default_data_dir
from core.systems.evaluations import RUNS_DIR
from models.unet import build_unet
from training.command import in_words
from training.data.augmentation import Augmentation
from training.data.corruptions import corrupt_each
from training.fit import train_classification, train_segmentation
from training.fit.environment import describe_environment
from training.fit.run_folder import BEST_WEIGHTS, Run
from training.fit.schedules import Stage
from training.fit.train_classification import ClassificationConfig, class_numbers, view_squares
from training.fit.train_segmentation import SegmentationConfig, load_split_arrays

SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)
SELECTION, SEGMENTER_SELECTION = "val_macro_auc", "val_dice"
WORSE = "worse_"  # before the name of a score on corrupted photographs
WORSE_SEVERITIES, WORSE_SEED = (1, 2, 3), 20262


def average_weights(first: list[np.ndarray], second: list[np.ndarray], share: float) -> list[np.ndarray]:
    """Each array of `first` moved towards `second` by `share`; 0 gives the first, 1 the second."""
    return [(1 - share) * a + share * b for a, b in zip(first, second, strict=True)]


def read_config(run: str) -> ClassificationConfig | SegmentationConfig:
    """The configuration that a run in training/runs/ recorded; averaged and joined runs have no other."""
    record = json.loads((RUNS_DIR / run / "config.json").read_text())["config"]
    parts = {name: _with_tuples(record[name]) for name in ("augmentation", "model")}
    fields = _with_tuples(record) | parts | {"augmentation": Augmentation(**parts["augmentation"])}
    fields["stages"] = tuple(Stage(**stage) for stage in record["stages"])
    if "boundary_strength" not in record:
        return ClassificationConfig(**fields)
    if "dice_in_loss" in fields:  # records from before there were more than two losses
        fields["loss"] = "bce_dice" if fields.pop("dice_in_loss") else "bce"
    return SegmentationConfig(**fields)


def _with_tuples(record: dict) -> dict:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in record.items()}


def build_network(config: ClassificationConfig | SegmentationConfig) -> keras.Model:
    """The network of a configuration, with random weights."""
    if isinstance(config, SegmentationConfig):
        return build_unet(**config.model)
    return train_classification.build_model(config, None)


def _make_validator(config: ClassificationConfig | SegmentationConfig, rows: pd.DataFrame, images, masks):
    """A function model -> scores on these images."""
    if isinstance(config, SegmentationConfig):
        return train_segmentation.make_validator(images, masks, config.model["input_size_px"])
    squares = view_squares(images, masks, config)
    return train_classification.make_validator(squares, class_numbers(rows["dx"], config), config.n_classes)


def read_weights(model: keras.Model, run: str) -> list[np.ndarray]:
    """The best weights of a run, as a list of arrays."""
    model.load_weights(RUNS_DIR / run / BEST_WEIGHTS)
    return model.get_weights()


def write_merged(config, weights: list[np.ndarray], best: dict, **parents: list[str]) -> Run:
    """Write the folder of a run that is made of others without training, like that of a trained one.

    Args:
        config: of the new run, its name too.
        weights: of the network that it describes.
        best: its validation scores.
        parents: the runs that it is made of, under the name of how (see `core.lineage.merged_from`).
    """
    run = Run(RUNS_DIR / config.name, config)
    network = build_network(config)
    network.set_weights(weights)
    network.save_weights(run.best_weights)
    record = {"best_epoch": best, **parents, "parameters": network.count_params()}
    run.write_scores(record | describe_environment())
    return run


def score_averages(
    config,
    runs: list[str],
    sizes: list[int],
    data: Path,
    worse: bool = False,
    shares: Sequence[float] = SHARES,
):
    """(table of validation scores by size and share, the best row, its weights); `worse` as --worse."""
    facts, images, masks = load_split_arrays(data, [config.judge], config.long_side_px)
    splits = {"": (facts, images, masks)}
    if worse:
        splits[WORSE] = (facts, *corrupt_each(images, masks, WORSE_SEVERITIES, WORSE_SEED))
    rows = []
    for size_px in sizes:
        sized = replace(config, model=config.model | {"input_size_px": size_px})
        model = build_network(sized)
        weights = [read_weights(model, run) for run in runs]
        validators = {prefix: _make_validator(sized, *split) for prefix, split in splits.items()}
        for share in shares:
            model.set_weights(average_weights(*weights, share))
            rows.append({"input_size_px": size_px, "share": share})
            for prefix, validate in validators.items():
                rows[-1] |= {prefix + name: value for name, value in validate(model).items()}
            print(rows[-1], flush=True)
    selection = SEGMENTER_SELECTION if isinstance(config, SegmentationConfig) else SELECTION
    best = max(rows, key=lambda row: sum(row[prefix + selection] for prefix in splits))
    return pd.DataFrame(rows), best, average_weights(*weights, best["share"])


def average(
    name: str,
    runs: list[str],
    sizes: list[int],
    data: Path,
    worse: bool = False,
    shares: Sequence[float] = SHARES,
) -> None:
    """Write the averaged run's folder."""
    config = read_config(runs[1])
    table, best, weights = score_averages(config, runs, sizes, data, worse, shares)
    config = replace(config, name=name, model=config.model | {"input_size_px": best["input_size_px"]})
    run = write_merged(config, weights, best, average_of=runs)
    table.to_csv(run.dir / "averages.csv", index=False)
    print(f"Best: {best}")


@in_words
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", nargs=2, required=True, help="two runs in training/runs/")
    parser.add_argument("--name", required=True, help="of the new run")
    parser.add_argument(
        "--sizes", nargs="+", type=int, default=[160, 192], help="input sizes to try, in pixels"
    )
    parser.add_argument(
        "--shares", nargs="+", type=float, default=SHARES, help="shares of the second run to try, 0 to 1"
    )
    parser.add_argument("--worse", action="store_true", help="let corrupted photographs count as much")
    parser.add_argument("--data", type=Path, default=default_data_dir(), help="HAM10000 folder")
    a = parser.parse_args()
    average(a.name, a.runs, a.sizes, a.data, a.worse, a.shares)


if __name__ == "__main__":
    main()
