"""A bundle's model card in Hugging Face's form: README.md with a YAML header, so that the folder can be uploaded.

    huggingface-cli upload USER/NAME models/weights

Every figure comes from the scores files that `dermalens evaluate scores` wrote for this very bundle (compared by
fingerprint). Form: https://github.com/huggingface/hub-docs/blob/main/modelcard.md
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from core.datasets.splits import HAM10000
from core.systems.bundle_files import stated_files
from core.systems.evaluations import RUNS_DIR
from core.systems.model_card import score_table
from core.taxonomy import get_diagnosis
from models.manifest import MANIFEST_NAME, Manifest

CARD_NAME = "README.md"
DATASET_TITLES = {"ham10000": "HAM10000", "milk10k": "MILK10k", "isic2018_task1": "ISIC 2018 Task 1"}
_SCORES_SUFFIX = "_scores.json"
_TASKS = {
    "classification": ("image-classification", "Diagnosis of skin lesions in dermoscopic images"),
    "segmentation": ("image-segmentation", "Outline of skin lesions in dermoscopic images"),
}
# Score in the file -> (group in the file, task, metric id, name).
_METRICS = {
    "balanced_accuracy": ("classification", "classification", "balanced_accuracy", "Balanced accuracy"),
    "accuracy": ("classification", "classification", "accuracy", "Accuracy"),
    "macro_roc_auc": ("classification", "classification", "roc_auc", "Macro ROC AUC"),
    "expected_calibration_error": ("classification", "classification", "ece", "Expected calibration error"),
    "roc_auc_melanoma": ("melanoma", "classification", "roc_auc", "Melanoma ROC AUC"),
    "dice": ("segmentation", "segmentation", "dice", "Dice"),
    "jaccard": ("segmentation", "segmentation", "jaccard", "Jaccard"),
}
_USE = """\
## Use

The code is Dermalens. Put this folder where you like and name it:

```
dermalens bundle verify FOLDER
DERMALENS_WEIGHTS=FOLDER dermalens analyze PICTURES --csv out.csv
```

The weights are read as numbers only (`.h5`, `.npz`, checked by SHA-256); nothing is unpickled.

**Research and teaching, not a medical device.** The output is not a diagnosis and must not guide treatment.
"""
_LIMITS = """\
## Limits

The scores hold for images like those that were scored. The training images show mostly light skin; other skin tones,
cameras and diagnoses are not covered by them. The model can be wrong with high confidence. Rulers, ink and hair can
mislead it. Heat maps are not dermoscopic criteria.
"""


def write_card(manifest: Manifest, runs_dir: Path = RUNS_DIR) -> Path:
    """Write the card beside the manifest; returns its path."""
    path = manifest.folder / CARD_NAME
    path.write_text(render_card(manifest, runs_dir), encoding="utf-8")
    return path


def render_card(manifest: Manifest, runs_dir: Path = RUNS_DIR) -> str:
    """The card as text; without scores where none were written for this bundle."""
    scores = read_scores(manifest, runs_dir)
    header = "\n".join(yaml_lines(card_header(manifest, scores)))
    return f"---\n{header}\n---\n\n{_body(manifest, scores)}"


def read_scores(manifest: Manifest, runs_dir: Path = RUNS_DIR) -> dict[str, dict[str, Any]]:
    """Name of the evaluation ("test", "milk10k_test") -> its scores; those of another fingerprint are left out."""
    found = {}
    for path in sorted((runs_dir / manifest.name).glob(f"*{_SCORES_SUFFIX}")):
        record = json.loads(path.read_text(encoding="utf-8"))
        if record.get("fingerprint") == manifest.fingerprint and "split" in record:
            found[path.name.removesuffix(_SCORES_SUFFIX)] = record
    return dict(sorted(found.items(), key=lambda item: ("test" not in item[0], item[0])))


def card_header(manifest: Manifest, scores: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """What Hugging Face reads: licence, tags, datasets, and metrics with their datasets."""
    record = json.loads((manifest.folder / MANIFEST_NAME).read_text(encoding="utf-8"))
    results = [result for name, one in scores.items() for result in _results(name, one)]
    header: dict[str, Any] = {
        **_licence(record.get("licence", "")),
        "library_name": "keras",
        "pipeline_tag": "image-classification",
        "tags": [
            "dermoscopy",
            "skin-lesion",
            "melanoma",
            "image-classification",
            "image-segmentation",
            "medical",
        ],
        "datasets": _datasets(manifest),
    }
    if results:
        header["metrics"] = sorted({metric["type"] for result in results for metric in result["metrics"]})
        header["model-index"] = [{"name": f"{manifest.name} version {manifest.version}", "results": results}]
    return header


def _licence(text: str) -> dict[str, str]:
    if text.startswith("CC BY-NC 4.0"):
        return {"license": "cc-by-nc-4.0"}
    return {"license": "other", "license_name": text or "not stated"}


def _datasets(manifest: Manifest) -> list[str]:
    """Titles of the sets that the networks were trained on."""
    networks = manifest.segmenter, manifest.classifier
    names = dict.fromkeys(name for network in networks for name in network.record.get("sets", [HAM10000]))
    return [DATASET_TITLES.get(name, name) for name in names]


def _split_name(evaluation: str) -> tuple[str, str]:
    """(set, split) of an evaluation.

    >>> _split_name("test"), _split_name("milk10k_validation")
    (('ham10000', 'test'), ('milk10k', 'validation'))
    """
    dataset, _, split = evaluation.rpartition("_")
    return dataset or HAM10000, split


def _results(evaluation: str, record: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The results of one evaluation, a task each, as in `model-index`."""
    dataset, split = _split_name(evaluation)
    about = {"type": dataset, "name": DATASET_TITLES.get(dataset, dataset), "split": split}
    for task, (kind, title) in _TASKS.items():
        metrics = [
            _metric(record[group][name], metric, label)
            for name, (group, of, metric, label) in _METRICS.items()
            if of == task and _is_known(record.get(group, {}).get(name))
        ]
        if metrics:
            yield {"task": {"type": kind, "name": title}, "dataset": about, "metrics": metrics}


def _is_known(value: dict[str, float] | None) -> bool:
    return value is not None and value.get("estimate") is not None


def _metric(value: dict[str, float], kind: str, label: str) -> dict[str, Any]:
    name = f"{label} (95 % interval {value['low']:.3f} to {value['high']:.3f})"
    return {"type": kind, "value": round(value["estimate"], 4), "name": name}


# --- text -------------------------------------------------------------------------------------------
def _body(manifest: Manifest, scores: dict[str, dict[str, Any]]) -> str:
    classes = "\n".join(f"- `{code}`: {get_diagnosis(code).name}" for code in manifest.classes)
    files = "\n".join(f"| `{name}` | `{digest}` |" for name, digest in stated_files(manifest))
    title = manifest.description or manifest.name
    return (
        f"# {title}\n\nOutlines and classifies single skin lesions in dermoscopic images. Bundle {manifest.name}, version "
        f"{manifest.version}, fingerprint `{manifest.fingerprint}`.\n\n{_USE}\n"
        f"## Classes\n\n{classes}\n\nDecision threshold on the probability of malignancy: "
        f"{manifest.suspicious_threshold:.4f}: {manifest.threshold_origin}.\n\n"
        f"## Scores\n\n{_score_text(manifest, scores)}\n\n{_LIMITS}\n## Files\n\n| file | SHA-256 |\n|---|---|\n{files}\n"
    )


def _score_text(manifest: Manifest, scores: dict[str, dict[str, Any]]) -> str:
    if not scores:
        return "None are on record for this bundle: `dermalens evaluate scores --split test` writes them."
    table = score_table(scores)
    lines = [f"| {' | '.join(table)} |", "|---" * table.shape[1] + "|"]
    lines += [
        f"| {' | '.join('–' if v != v else str(v) for v in row)} |" for row in table.itertuples(index=False)
    ]
    counts = "; ".join(
        f"{name}: {one['n_images']} images of {one['n_lesions']} lesions" for name, one in scores.items()
    )
    return "\n".join(lines) + f"\n\n95 % intervals by bootstrap over lesions. {counts}."


def yaml_lines(value: dict[str, Any] | list, indent: int = 0) -> Iterator[str]:
    r"""Dictionaries and lists of plain values as YAML; texts are quoted as in JSON, which YAML reads alike.

    >>> print("\n".join(yaml_lines({"a": [1, {"b": "c: d", "e": []}]})))
    a:
      - 1
      - b: "c: d"
        e: []
    """
    space = " " * indent
    items = value.items() if isinstance(value, dict) else ((None, item) for item in value)
    for key, item in items:
        lead = f"{space}- " if key is None else f"{space}{key}: "
        if isinstance(item, dict | list) and item:
            inner = list(yaml_lines(item, indent + 2))
            if key is None:
                yield lead + inner[0].lstrip()
                yield from inner[1:]
            else:
                yield lead.rstrip()
                yield from inner
        else:
            yield lead + json.dumps(item, ensure_ascii=False)
