"""Put another bundle's classifier into a bundle; its segmenter stays, and what is known of its outlines.

    python -m training.replace_classifier --of DIR --version 19

For better classes alone, where the networks of the segmenter's halves, who alone may outline validation lesions
(`training.halves`), are not there any more. The other bundle has been exported beside a segmenter that has learned
the training lesions alone, and everything about its classes has been measured with that on the validation split
(`training.measure.evaluate`, `training.measure.robustness`, `training.bundle.fit_trust`): its records in training/runs/ stand for the
classes, the bundle's own for the outlines. On the test split everything is measured anew.
"""

import argparse
import json
import shutil
from pathlib import Path

import pandas as pd

from core.systems.choices import CHOICES_NAME
from core.systems.evaluations import RUNS_DIR
from models.manifest import MANIFEST_NAME, SHIPPED_DIR, Manifest, read_manifest
from training.bundle.fit_trust import NOVELTY_NAME, REPORT_NAME
from training.command import in_words
from training.halves import WHOLE
from training.measure.evaluate import with_answers_on_record, write_scores
from training.measure.robustness import RESULT_NAME
from training.measure.robustness_scores import with_class_scores_of


def write_bundle(bundle: Path, other: Path, version: str) -> Manifest:
    """Change the bundle in its folder; returns its new manifest."""
    record, found = (json.loads((folder / MANIFEST_NAME).read_text()) for folder in (bundle, other))
    record |= {"version": version, "preprocessing": found["preprocessing"]}
    record["classifier"] = found["classifier"] | {"judged_in": found["name"]}
    for file in (record["classifier"]["file"], NOVELTY_NAME):
        shutil.copyfile(other / file, bundle / file)
    (bundle / MANIFEST_NAME).write_text(json.dumps(record, indent=1) + "\n")
    return read_manifest(bundle)


def replace_classifier(bundle: Path, other: Path, version: str) -> None:
    """Change the bundle in its folder and its records of the validation split.

    Args:
        bundle: its folder.
        other: folder of the bundle whose classifier it takes.
        version: of the bundle with the new classifier.
    """
    own, kept = (RUNS_DIR / read_manifest(folder).name for folder in (bundle, other))
    records = {
        name: json.loads((kept / name).read_text()) for name in (CHOICES_NAME, REPORT_NAME, RESULT_NAME)
    }
    choices, robustness = (json.loads((own / name).read_text()) for name in (CHOICES_NAME, RESULT_NAME))
    records[CHOICES_NAME]["refinement"] = choices["refinement"]
    records[RESULT_NAME] = with_class_scores_of(robustness, records[RESULT_NAME])
    manifest = write_bundle(bundle, other, version)
    for name in (REPORT_NAME, RESULT_NAME):
        records[name] |= {**manifest.stamp, "classes_judged_in": kept.name}
    for name, record in records.items():
        (own / name).write_text(json.dumps(record, indent=1) + "\n")
    outlines = pd.read_csv(own / f"{WHOLE}_predictions.csv")
    write_scores(with_answers_on_record(outlines, kept), manifest, WHOLE, kept)


@in_words
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--of", type=Path, required=True, help="folder of the bundle with the new classifier")
    parser.add_argument("--version", required=True, help="of the bundle with it")
    parser.add_argument("--bundle", type=Path, default=SHIPPED_DIR, help="folder of the bundle to change")
    a = parser.parse_args()
    replace_classifier(a.bundle, a.of, a.version)


if __name__ == "__main__":
    main()
