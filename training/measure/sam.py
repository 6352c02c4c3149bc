"""Robustness of a bundle by the SAM benchmark, for those who have its images: SAM-C corruptions, SAM-P perturbations.

    dermalens evaluate sam --data DIR [--labels TABLE.csv] [--to DIR] [--eight-views]

DIR holds SAM/, SAM-C/, SAM-P/ (also SAM-C-Extra/, SAM-P-Extra/) as `training.measure.sam_files` says; each is optional.
The images come from https://github.com/DBO-DKFZ/SCP-Robustness-Benchmark. Their labels are not published: the command
writes the submission files that the authors score, and by itself what needs no labels: how many answers a corruption
changes, and the flip rates of SAM-P, also relative to the published AlexNet. With `--labels` (`image,dx` of the clean
images: mel, nv) it computes the balanced errors too.

The benchmark has two classes: melanoma's share of melanoma and nevus is the confidence. One view of each window, as in
`dermalens evaluate robustness`, which measures our own fourteen corruptions; 120,000 images take some hours even so.
Answers are kept every few images in DIR/answers_*.csv of `--to`: the same command resumes.

Writes <bundle>-<version>_SAM.csv and so on (submission files) and sam.json.
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from tqdm import tqdm

from core.analysis import Analysis
from core.analyzer import Analyzer
from core.batch.analyze import analyze_paths
from core.batch.labels import match_labels, read_labels
from core.settings import AnalysisSettings, default_filters
from core.systems.evaluations import WORK_DIR
from core.systems.model_card import read_record
from core.tables.writing import to_json_types
from models.manifest import Manifest
from training.command import exit_with_message
from training.fit.environment import describe_environment
from training.measure.robustness import RESULT_NAME as OWN_RESULT
from training.measure.robustness import training_corruptions
from training.measure.sam_files import SamError, SamImage, list_images, to_frame
from training.measure.sam_scores import PARTS, score_sam

RESULT_NAME = "sam.json"
CHUNK = 64
_COLUMNS = ("part", "name", "melanoma", "error")


def melanoma_share(analysis: Analysis) -> float:
    """Melanoma's share of the probabilities of melanoma and nevus; 0.5 where both are 0."""
    answer = analysis.classification
    mel, nv = (float(answer.probabilities[answer.classes.index(code)]) for code in ("mel", "nv"))
    return mel / (mel + nv) if mel + nv > 0 else 0.5


def answer_all(analyzer: Analyzer, images: Sequence[SamImage], kept: Path, eight_views: bool) -> pd.DataFrame:
    """`part, name, melanoma, error` of every image; those in the file `kept` are not asked for again."""
    settings = AnalysisSettings(default_filters(analyzer.manifest), test_time_augmentation=eight_views)
    done = _read_kept(kept)
    known = set(zip(done["part"], done["name"], strict=True))
    missing = [image for image in images if (image.part, image.name) not in known]
    with tqdm(total=len(images), initial=len(images) - len(missing), unit="image") as bar:
        for start in range(0, len(missing), CHUNK):
            part = missing[start : start + CHUNK]
            outcomes = analyze_paths(analyzer, [image.path for image in part], settings)
            rows = [
                (
                    image.part,
                    image.name,
                    np.nan if o.analysis is None else melanoma_share(o.analysis),
                    o.error,
                )
                for image, o in zip(part, outcomes, strict=True)
            ]
            fresh = pd.DataFrame(rows, columns=_COLUMNS)
            fresh.to_csv(kept, mode="a", index=False, header=not kept.exists())
            bar.update(len(part))
    return _read_kept(kept).drop_duplicates(["part", "name"])


def _read_kept(kept: Path) -> pd.DataFrame:
    """What an earlier run answered; a row that it was writing when it was stopped is cut off."""
    if not kept.is_file():
        return pd.DataFrame(columns=_COLUMNS)
    text = kept.read_bytes()
    whole = text[: text.rfind(b"\n") + 1]
    if whole != text:
        kept.write_bytes(whole)
    texts = dict.fromkeys(("part", "name", "error"), str)
    return pd.read_csv(kept, dtype=texts, keep_default_na=False, na_values={"melanoma": [""]})


def label_of(images: Sequence[SamImage], labels: Path | None) -> dict[str, str]:
    """Clean picture -> "mel" or "nv", of a table; {} without one.

    Raises:
        LabelError: the table cannot be used.
        SamError: it labels none of the images.
    """
    if labels is None:
        return {}
    names = sorted({image.image for image in images})
    frame, counts = match_labels([Path(f"{name}.png") for name in names], read_labels(labels), ("mel", "nv"))
    if not counts.labelled:
        raise SamError(f"{labels} labels none of the {len(names)} pictures as mel or nv. {counts.describe()}")
    return {name: dx for name, dx in zip(names, frame["dx"], strict=True) if dx}


def write_submissions(answers: pd.DataFrame, folder: Path, name: str) -> list[Path]:
    """One file a part in the benchmark's form: `image_path,nevus,melanoma`; an unreadable image has no numbers."""
    paths = []
    for part in PARTS:
        rows = answers[answers["part"] == part]
        if len(rows):
            path = folder / f"{name.replace('_', '-')}_{part}.csv"  # theirs: no further underscore
            columns = {
                "image_path": rows["name"],
                "nevus": 1 - rows["melanoma"],
                "melanoma": rows["melanoma"],
            }
            pd.DataFrame(columns).to_csv(path, index=False, float_format="%.6g")
            paths.append(path)
    return paths


def run(
    data: Path,
    to: Path | None = None,
    bundle: Path | None = None,
    labels: Path | None = None,
    eight_views: bool = False,
) -> dict:
    """Answer every image, write the submission files and sam.json; returns the record.

    Raises:
        SamError: the folder is not as expected, the bundle lacks one of the two classes, or no image can be read.
    """
    images = list_images(data)
    analyzer = Analyzer.load(bundle)
    manifest = analyzer.manifest
    if not {"mel", "nv"} <= set(manifest.classes):
        raise SamError(
            f"The benchmark needs the classes mel and nv; {manifest.name} has {', '.join(manifest.classes)}."
        )
    label = label_of(images, labels)
    to = to or WORK_DIR / "sam" / manifest.name
    to.mkdir(parents=True, exist_ok=True)
    kept = to / f"answers_{manifest.fingerprint}_{8 if eight_views else 1}.csv"
    found = answer_all(analyzer, images, kept, eight_views)
    answers = to_frame(images).merge(found, on=["part", "name"], how="left")
    answers["label"] = [label.get(image, "") for image in answers["image"]]
    if answers["melanoma"].isna().all():
        raise SamError(f"None of the {len(answers)} images can be read: {answers['error'].iloc[0]}")
    write_submissions(answers, to, f"{manifest.name}-{manifest.version}")
    record = _describe_run(manifest, answers) | {"eight_views": eight_views} | score_sam(answers)
    record = to_json_types(record)
    (to / RESULT_NAME).write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    return record


def _describe_run(manifest: Manifest, answers: pd.DataFrame) -> dict:
    return {
        **manifest.stamp,
        "labelled": bool((answers["label"] != "").any()),
        "unreadable": int(answers["melanoma"].isna().sum()),
        "long_side_px": manifest.working_side_px,
        "learned_corruptions": list(training_corruptions(manifest)),
        "own_corruptions": _own_corruptions(manifest),
        "environment": describe_environment(),
    }


def _own_corruptions(manifest: Manifest) -> dict[str, float]:
    """Severity -> share of answers that our fourteen corruptions change on HAM10000; {} where it was not measured."""
    rows = read_record(manifest, OWN_RESULT).get("mean_by_severity", [])
    return {f"{row['severity']:.0f}": 1 - row["unchanged_share"] for row in rows}


def describe(record: dict) -> str:
    """The record as lines for a terminal."""
    lines = []
    for part in (part for part in PARTS if part in record):
        values = {k: v for k, v in record[part].items() if isinstance(v, int | float)}
        lines.append(f"{part}: " + ", ".join(f"{k.replace('_', ' ')} {v:.4g}" for k, v in values.items()))
        for name, own in {
            **record[part].get("corruptions", {}),
            **record[part].get("perturbations", {}),
        }.items():
            known = (f"{k.replace('_', ' ')} {v:.3f}" for k, v in own.items() if v is not None)
            lines.append(f"  {name:18s} {', '.join(known)}")
    if record["own_corruptions"]:
        shares = ", ".join(
            f"{severity}: {share:.3f}" for severity, share in record["own_corruptions"].items()
        )
        lines.append(f"Own fourteen corruptions on HAM10000, share of changed answers by severity: {shares}")
    if not record["labelled"]:
        lines.append(
            "No labels: the balanced errors are computed by the benchmark's authors from the submission files."
        )
    return "\n".join(lines)


@exit_with_message
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder with SAM/, SAM-C/, SAM-P/")
    parser.add_argument("--labels", type=Path, help="image,dx of the clean images; not published")
    parser.add_argument("--to", type=Path, help="folder of the results; work/sam/<bundle> by default")
    parser.add_argument("--bundle", type=Path, help="folder of a bundle; the shipped one by default")
    parser.add_argument("--eight-views", action="store_true", help="as a user gets; eight times as long")
    a = parser.parse_args()
    record = run(a.data, a.to, a.bundle, a.labels, a.eight_views)
    print(describe(record))
    print(f"Submission files and {RESULT_NAME} are in {a.to or WORK_DIR / 'sam' / record['bundle']}")


if __name__ == "__main__":
    main()
