"""Give the runs behind a bundle their checkpoints back, so that training can go on from the shipped weights.

    python -m training.unpack

A fresh clone has the records of every run but not their checkpoints. This writes those of the segmenter's run
and of the classifier's, or of its members where they were joined last, taken from the bundle: kernels in half
precision, the class prior out of the biases again. Checkpoints that exist stay as they are.
"""

import argparse
import json
from pathlib import Path

import keras
import numpy as np

from core.systems.evaluations import RUNS_DIR
from models.builders import BUILDERS
from models.ensemble import join_classifiers
from models.loading import check_weights, load_network
from models.manifest import SHIPPED_DIR, NetworkEntry, read_manifest
from training.command import in_words
from training.fit.run_folder import BEST_WEIGHTS
from training.prior import shift_logits


def unpack_classifier(folder: Path, entry: NetworkEntry, joined: bool = True) -> list[keras.Model]:
    """The members of a bundle's classifier, or itself unless it was `joined` last, without its prior offsets."""
    check_weights(folder, entry)
    whole = load_network(folder, entry)
    if prior := entry.record.get("prior"):
        shift_logits(whole, -np.array(prior["offsets"]))
    arguments = dict(entry.arguments)
    shares = arguments.pop("shares", None)
    if shares is None or not joined:
        return [whole]
    members = [BUILDERS["classifier"](**arguments) for _ in shares]
    join_classifiers(members, shares).set_weights(whole.get_weights())  # shares its layers with the members
    return members


def unpack(folder: Path, runs_dir: Path = RUNS_DIR) -> list[Path]:
    """Write the missing checkpoints of the runs that a bundle names; returns those that were written."""
    manifest = read_manifest(folder)
    run = manifest.classifier.record["training_run"]
    scores = json.loads((runs_dir / run / "scores.json").read_text())
    names = scores.get("joined", [run])
    networks = dict(
        zip(names, unpack_classifier(folder, manifest.classifier, "joined" in scores), strict=True)
    )
    check_weights(folder, manifest.segmenter)
    networks[manifest.segmenter.record["training_run"]] = load_network(folder, manifest.segmenter)
    written = []
    for name, network in networks.items():
        file = runs_dir / name / BEST_WEIGHTS
        if not file.exists():
            file.parent.mkdir(parents=True, exist_ok=True)
            network.save_weights(file)
            written.append(file)
    return written


@in_words
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bundle", type=Path, default=SHIPPED_DIR, help="folder with a manifest.json")
    for file in unpack(parser.parse_args().bundle):
        print(f"Wrote {file}")


if __name__ == "__main__":
    main()
