"""Put two classifiers that were trained apart into one network that answers with a mean of their logits.

    python -m training.join --runs classification_v2b0_soup classification_v2b0_second --name classification_v2b0_pair

Each run alone and mixtures of both are scored on the split that judges the second run, at every input size and
share asked for; the mixture with the best macro AUC goes to training/runs/<name>/ like a trained run, with all
scores in members.csv.
"""

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd

from core.datasets.ham10000 import default_data_dir
from models.builders import BUILDERS
from models.ensemble import join_classifiers
from training.average import SELECTION, read_config, read_weights, write_merged
from training.command import in_words
from training.fit.train_classification import (
    ClassificationConfig,
    class_numbers,
    predict_logits,
    score_logits,
    view_squares,
)
from training.fit.train_segmentation import load_split_arrays

SECOND_SHARES = (0.2, 0.35, 0.5, 0.65, 0.8)


def load_members(config: ClassificationConfig, runs: list[str], size_px: int):
    """The best network of each run at an input size; all have the architecture of `config`."""
    arguments = config.model | {"input_size_px": size_px, "n_classes": config.n_classes}
    members = [BUILDERS[config.builder](**arguments) for _ in runs]
    for member, run in zip(members, runs, strict=True):
        member.set_weights(read_weights(member, run))
    return members


def score_members(
    config: ClassificationConfig,
    runs: list[str],
    sizes: list[int],
    data: Path,
    shares: Sequence[float] = SECOND_SHARES,
) -> pd.DataFrame:
    """Validation scores by input size and the second run's share: 0 is the first alone, 1 the second."""
    split, images, masks = load_split_arrays(data, [config.judge], config.long_side_px)
    labels = class_numbers(split["dx"], config)
    rows = []
    for size_px in sizes:
        sized = replace(config, model=config.model | {"input_size_px": size_px})
        squares = view_squares(images, masks, sized)
        members = load_members(config, runs, size_px)
        first, second = (predict_logits(member, squares, config.n_classes) for member in members)
        for share in (0.0, *shares, 1.0):
            mixed = {view: (1 - share) * first[view] + share * second[view] for view in squares}
            rows.append({"input_size_px": size_px, "share": share, **score_logits(mixed, labels)})
            print(rows[-1], flush=True)
    return pd.DataFrame(rows)


def join(
    name: str, runs: list[str], sizes: list[int], data: Path, shares: Sequence[float] = SECOND_SHARES
) -> None:
    """Write the joined run's folder."""
    config = read_config(runs[-1])
    table = score_members(config, runs, sizes, data, shares)
    best = table[table["share"].isin(shares)].sort_values(SELECTION).iloc[-1].to_dict()
    mixture = 1 - best["share"], best["share"]
    arguments = config.model | {"input_size_px": int(best["input_size_px"]), "shares": mixture}
    joined = join_classifiers(load_members(config, runs, arguments["input_size_px"]), mixture)
    config = replace(config, name=name, builder="ensemble", model=arguments)
    run = write_merged(config, joined.get_weights(), best, joined=runs)
    table.to_csv(run.dir / "members.csv", index=False)
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
        "--shares", nargs="+", type=float, default=SECOND_SHARES, help="of the second run to try, 0 to 1"
    )
    parser.add_argument("--data", type=Path, default=default_data_dir(), help="HAM10000 folder")
    a = parser.parse_args()
    join(a.name, a.runs, a.sizes, a.data, a.shares)


if __name__ == "__main__":
    main()
