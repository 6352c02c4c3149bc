"""Put another segmenter into a bundle; its classifier stays, and what was decided for it.

    python -m training.replace_segmenter --segmentation RUN --version 18 --judged-in ham10000_v17

For better outlines alone: nothing about the classes is trained or chosen. A classifier that has learned the
validation split can be judged there only by the networks that it is the mean of, and without their checkpoints its
answers on record stand: --judged-in names the folder in training/runs/ that holds them. `training.measure.evaluate` and
`training.measure.robustness` then measure outlines on the validation split, and take the answers from there, and what
`training.bundle.fit_trust` fitted stays; on the test split everything is measured. Bundles of the segmenter's halves go to
training/runs/<bundle>/checkpoints/ (not committed) and are to be asked for outlines alone.
"""

import argparse
import json
import shutil
from pathlib import Path

from core.datasets.ham10000 import HALVES, default_data_dir
from core.settings import AnalysisSettings
from core.systems.choices import CHOICES_NAME
from core.systems.evaluations import RUNS_DIR
from models.loading import load_bundle
from models.manifest import MANIFEST_NAME, SHIPPED_DIR, read_manifest
from training.bundle.fit_trust import REPORT_NAME
from training.bundle.packing import export_network
from training.bundle.validation import LabelledImages, compare_refinements, predict_all_masks
from training.command import in_words
from training.halves import half_folder, judging_runs

FITTED_LATER = (
    "conformal",
    "novelty",
    "decision",
)  # what `training.bundle.fit_trust` adds; a half needs none


def write_bundle(source: Path, segmentation: Path, version: str, judged_in: str, folder: Path) -> None:
    """The bundle of `source` with the segmenter of a run, in `folder`, which may be `source` itself."""
    folder.mkdir(parents=True, exist_ok=True)
    record = json.loads((source / MANIFEST_NAME).read_text())
    record["version"] = version
    record["classifier"]["judged_in"] = judged_in
    record["segmenter"] = export_network(segmentation, "unet", folder / record["segmenter"]["file"])
    if folder != source:
        record["classifier"] = {k: v for k, v in record["classifier"].items() if k not in FITTED_LATER}
        shutil.copyfile(source / record["classifier"]["file"], folder / record["classifier"]["file"])
    (folder / MANIFEST_NAME).write_text(json.dumps(record, indent=1) + "\n")


def replace_segmenter(bundle: Path, segmentation: Path, version: str, judged_in: str, data: Path) -> None:
    """Change the bundle in its folder, what its record of choices says of outlines, and whose trust.json is.

    Args:
        bundle: its folder.
        segmentation: folder of a run that is the mean of two halves.
        version: of the bundle with the new segmenter.
        judged_in: folder in training/runs/ with the records of the classifier.
        data: HAM10000's folder.

    Raises:
        ValueError: the run is no mean of two halves.
    """
    name, judges = read_manifest(bundle).name, judging_runs(segmentation)
    if judges.keys() != {*HALVES}:
        raise ValueError(f"{segmentation.name} is no mean of two halves (training.merge_halves).")
    for half in HALVES:
        write_bundle(bundle, judges[half], version, judged_in, half_folder(name, half))
    write_bundle(bundle, segmentation, version, judged_in, bundle)
    halves = {half: load_bundle(half_folder(name, half)) for half in HALVES}
    split = LabelledImages.read(data, halves)
    maps = predict_all_masks(split, AnalysisSettings().n_views)
    choices = json.loads((RUNS_DIR / judged_in / CHOICES_NAME).read_text())
    choices["refinement"] = compare_refinements(maps, split.masks)
    trust = json.loads((RUNS_DIR / judged_in / REPORT_NAME).read_text())
    trust |= {**read_manifest(bundle).stamp, "classes_judged_in": judged_in}
    for file, record in ((CHOICES_NAME, choices), (REPORT_NAME, trust)):
        (RUNS_DIR / name / file).write_text(json.dumps(record, indent=1) + "\n")
    print(choices["refinement"])


@in_words
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--segmentation", required=True, help="run in training/runs/, the mean of two halves")
    parser.add_argument("--version", required=True, help="of the bundle with it")
    parser.add_argument(
        "--judged-in", required=True, help="folder in training/runs/ with the classifier's records"
    )
    parser.add_argument("--bundle", type=Path, default=SHIPPED_DIR, help="folder of the bundle to change")
    parser.add_argument("--data", type=Path, default=default_data_dir(), help="HAM10000 folder")
    a = parser.parse_args()
    replace_segmenter(a.bundle, RUNS_DIR / a.segmentation, a.version, a.judged_in, a.data)


if __name__ == "__main__":
    main()
