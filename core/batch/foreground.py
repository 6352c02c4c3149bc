"""A batch run in the foreground, in a folder that the user names: what `dermalens batch` does."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd
from tqdm import tqdm

from core.batch import job as jobs
from core.batch.analyze import find_images
from core.batch.faults import JobError, named_faults, write_whole
from core.batch.job import Job
from core.batch.labels import LabelCounts, LabelError, match_labels, read_labels
from core.batch.remote import absolute, is_address
from core.batch.results import RESULTS, Progress, read_errors, read_predictions, read_progress
from core.batch.worker import run
from core.datasets.files import labels_from_folders
from core.evaluation.predictions import IMAGE_PATH
from core.images.finding import FoundImages, describe_left_alone
from core.settings import AnalysisSettings, default_filters
from core.tables.writing import harmless
from models.manifest import Manifest, read_manifest


def run_batch(
    paths: Sequence[Path],
    folder: Path,
    table: Path | None,
    folder_labels: bool,
    augmented: bool,
    ray: str = "",
) -> Progress:
    """Run or resume, and write the tables; returns how far it came.

    Args:
        paths: images, folders and addresses such as s3://bucket/folder.
        folder: of the run; made if it is not there.
        table: of labels, or None.
        folder_labels: take the labels from the names of sub-folders.
        augmented: average eight views.
        ray: address of a Ray cluster, "local" for one on this machine; "" works in this process.

    Raises:
        DermalensError: nothing to analyse, unusable labels or weights, another run or process in the folder, or
            a folder that cannot be written to or is gone.
    """
    manifest = read_manifest()
    settings = AnalysisSettings(default_filters(manifest), augmented)
    found, labels = _find(paths, table, folder_labels, manifest)
    with named_faults(folder):
        folder.mkdir(parents=True, exist_ok=True)
        with jobs.hold_folder(folder):  # before anything is written: another process may be at work
            source = ", ".join(map(str, paths))
            job = _prepare(folder, found, labels, manifest, settings, source)
            print(". ".join(filter(None, (job.label_counts.describe(), describe_left_alone(job.left_alone)))))
            _work(job, ray)
        return read_progress(job)


def _work(job: Job, ray: str) -> None:
    left = read_progress(job).left
    try:
        with tqdm(total=job.total, initial=job.total - left, unit="image") as bar:
            (job.folder / "cancel").unlink(missing_ok=True)
            if ray:
                from core.batch.distributed import run_on_ray

                run_on_ray(job, ray, bar.update)
            else:
                run(job, lambda outcome: bar.update())
    finally:
        _write_tables(job)


def _find(
    paths: Sequence[Path], table: Path | None, folder_labels: bool, manifest: Manifest
) -> tuple[FoundImages, tuple[pd.DataFrame, LabelCounts]]:
    """The images and their labels."""
    found = find_images(paths)
    images = list(dict.fromkeys(map(absolute, found.paths)))
    found = replace(found, paths=images, root=absolute(found.root))
    given = None
    if table and folder_labels:
        raise LabelError("Give --labels or --folder-labels, not both.")
    if table:
        given = read_labels(table)
    elif folder_labels:
        given = _folder_labels(images, paths)
    return found, match_labels(images, given, manifest.classes, found.root.parent)


def _prepare(
    folder: Path,
    found: FoundImages,
    labels: tuple[pd.DataFrame, LabelCounts],
    manifest: Manifest,
    settings: AnalysisSettings,
    source: str,
) -> Job:
    """The run in `folder`, if it is the one that is asked for; a new one where there is none."""
    before = jobs.read_job(folder)
    if before is None and (folder / RESULTS).exists():
        raise JobError(
            f"{folder} holds {RESULTS} without a job.json that can be read: whose results these are is not known. "
            "Restore job.json, or name another folder with --to."
        )
    if before and (_asked_for(before) != ([*map(str, found.paths)], settings, manifest.fingerprint)):
        raise JobError(
            f"{folder} holds a run of other images, settings or weights. Name another folder with --to."
        )
    # Written anew, so that corrected labels count; the finished images stay.
    return jobs.create_job(folder, found, labels, manifest, settings, folder.name, source)


def _asked_for(job: Job) -> tuple[list[str], AnalysisSettings, str]:
    """What must be the same for a run to go on."""
    return [image["path"] for image in job.read_images()], job.settings, job.fingerprint


def _folder_labels(images: Sequence[Path], paths: Sequence[Path]) -> list[str]:
    """Labels below the folder that each image was found in."""
    tops = [absolute(path) for path in paths if path.is_dir() or is_address(path)]
    top_of = (next((top for top in tops if image.is_relative_to(top)), image.parent) for image in images)
    return [labels_from_folders([image], top)[0] for image, top in zip(images, top_of, strict=True)]


def _write_tables(job: Job) -> None:
    predictions = read_predictions(job)
    if predictions is not None:
        table = predictions.frame.drop(columns=IMAGE_PATH).map(harmless)
        write_whole(job.folder / "predictions.csv", table.to_csv(index=False, float_format="%.6g"))
    write_whole(job.folder / "errors.csv", read_errors(job).map(harmless).to_csv(index=False))
