"""The classifier for phones: `dermalens export-mobile` writes it as float16 and int8 .tflite files.

    python -m training.bundle.mobile --to FOLDER [--data DIR --limit N]

The int8 file needs example images to find the range of every value: those of the dataset's train split, or
drawn lesions where there is no dataset. Beside the files lies mobile.json: classes, input, normalisation,
licence, sizes and hashes. With a dataset, both files are scored on validation images and the scores go to
training/results/mobile.csv. docs/mobile.md says how to use them.
"""

import argparse
import csv
import json
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from core.datasets.ham10000 import default_data_dir, load_pixels, read_split
from core.diagnosis.classification import softmax
from core.evaluation.metrics import balanced_accuracy, macro_roc_auc
from core.images.preprocessing import Box, crop_square, limit_long_side
from core.phantoms.lesions import draw_phantom
from core.systems.systems import MOBILE_FILE
from models.manifest import Manifest, NetworkEntry, file_sha256, read_manifest
from models.runtimes.tensorflow import load_network
from training.command import exit_with_message

PRECISIONS = ("float16", "int8")
N_EXAMPLES = 100


def to_square(image: np.ndarray, entry: NetworkEntry) -> np.ndarray:
    """(S, S, 3) uint8: a whole image as the classifier sees it."""
    small = limit_long_side(image, entry.long_side_px)
    return crop_square(small, Box.whole(small), entry.input_size_px)


def example_squares(entry: NetworkEntry, data: Path | None) -> np.ndarray:
    """(N, S, S, 3) uint8 images for the ranges of the int8 file."""
    if data is None:
        images = [draw_phantom(seed).image for seed in range(N_EXAMPLES)]
    else:
        rows = read_split(data, "train")
        images = load_pixels(rows.iloc[:: len(rows) // N_EXAMPLES][:N_EXAMPLES], entry.long_side_px)
    return np.stack([to_square(image, entry) for image in images])


def convert(model: Any, precision: str, examples: np.ndarray) -> bytes:
    """A .tflite of a Keras model: (1, S, S, 3) float32 from 0 to 255 in, (1, K) float32 logits out."""
    import tensorflow as tf

    with tempfile.TemporaryDirectory() as folder:
        model.export(folder, format="tf_saved_model", verbose=False)
        converter = tf.lite.TFLiteConverter.from_saved_model(folder)
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        if precision == "float16":
            converter.target_spec.supported_types = [tf.float16]
        else:

            def feed() -> Iterator[list[np.ndarray]]:
                for square in examples:
                    yield [square[None].astype(np.float32)]

            converter.representative_dataset = feed
        return converter.convert()


def open_tflite(path: Path) -> Callable[[np.ndarray], np.ndarray]:
    """(N, S, S, 3) uint8 -> (N, K) logits, in LiteRT."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_path=str(path))
    interpreter.allocate_tensors()
    [source], [answer] = interpreter.get_input_details(), interpreter.get_output_details()

    def run(batch: np.ndarray) -> np.ndarray:
        rows = []
        for square in batch:
            interpreter.set_tensor(source["index"], square[None].astype(np.float32))
            interpreter.invoke()
            rows.append(interpreter.get_tensor(answer["index"])[0].copy())
        return np.stack(rows)

    return run


def describe(manifest: Manifest, files: Sequence[Path]) -> dict[str, Any]:
    """What a phone's programmer must know, for mobile.json."""
    side = manifest.classifier.input_size_px
    licence = json.loads((manifest.folder / "manifest.json").read_text()).get("licence", "")
    return {
        **manifest.stamp,
        "licence": licence,
        "classes": list(manifest.classes),
        "input": {"shape": [1, side, side, 3], "dtype": "float32", "colours": "sRGB"},
        "normalisation": "none: values from 0 to 255; the network scales them itself",
        "resizing": f"the long side to {manifest.classifier.long_side_px} px, then the whole picture to a square",
        "output": f"logits; probabilities = softmax(logits / {manifest.temperature})",
        "temperature": manifest.temperature,
        "suspicious_threshold": manifest.suspicious_threshold,
        "notice": "research and teaching software, not a medical device",
        "files": {file.name: {"bytes": file.stat().st_size, "sha256": file_sha256(file)} for file in files},
    }


def export_mobile(to: Path, data: Path | None = None, bundle: Path | None = None) -> list[Path]:
    """Write classifier_float16.tflite, classifier_int8.tflite and mobile.json; returns the first two.

    Raises:
        BundleError: there is no bundle, or it is damaged.
        DatasetError: `data` is no dataset.
    """
    manifest = read_manifest(bundle)
    examples = example_squares(manifest.classifier, data)
    model = load_network(manifest.folder, manifest.classifier)
    to.mkdir(parents=True, exist_ok=True)
    files = [to / f"classifier_{precision}.tflite" for precision in PRECISIONS]
    for file, precision in zip(files, PRECISIONS, strict=True):
        file.write_bytes(convert(model, precision, examples))
    (to / "mobile.json").write_text(json.dumps(describe(manifest, files), indent=1) + "\n")
    return files


def score_files(files: Sequence[Path], data: Path, limit: int | None) -> list[dict[str, Any]]:
    """One row a file, and one for Keras: scores of single whole views on the validation split."""
    manifest = read_manifest()
    rows = read_split(data, "validation")
    rows = rows.iloc[:: max(1, len(rows) // limit)][:limit] if limit else rows
    squares = np.stack(
        [
            to_square(image, manifest.classifier)
            for image in load_pixels(rows, manifest.classifier.long_side_px)
        ]
    )
    labels = rows["dx"].map({code: k for k, code in enumerate(manifest.classes)}).to_numpy()
    keras_model = load_network(manifest.folder, manifest.classifier)
    chunks = np.array_split(squares, max(1, len(squares) // 8))
    exact = np.concatenate([keras_model(chunk, training=False).numpy() for chunk in chunks])
    answers = {"Keras": exact} | {file.stem: open_tflite(file)(squares) for file in files}
    sizes = {"Keras": manifest.folder / manifest.classifier.file} | {file.stem: file for file in files}
    return [
        {
            **manifest.stamp,
            "file": name,
            "megabytes": round(sizes[name].stat().st_size / 1e6, 2),
            "images": len(squares),
            "balanced_accuracy": round(balanced_accuracy(labels, softmax(logits)), 4),
            "macro_roc_auc": round(macro_roc_auc(labels, softmax(logits)), 4),
            "answers_changed": round(float((logits.argmax(1) != exact.argmax(1)).mean()), 4),
        }
        for name, logits in answers.items()
    ]


@exit_with_message
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--to", type=Path, required=True, help="folder to write to")
    parser.add_argument("--data", type=Path, default=default_data_dir(), help="HAM10000 folder")
    parser.add_argument("--limit", type=int, help="score on this many validation images")
    arguments = parser.parse_args()
    files = export_mobile(arguments.to, arguments.data)
    if arguments.data is None:
        return
    rows = score_files(files, arguments.data, arguments.limit)
    with MOBILE_FILE.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, rows[0], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    print(*rows, sep="\n")


if __name__ == "__main__":
    main()
