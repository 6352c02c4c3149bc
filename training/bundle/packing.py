"""One network of a bundle: its weights in half precision on disk and its entry in the manifest."""

import json
from pathlib import Path

import h5py
import keras
import numpy as np

from core.datasets.ham10000 import SPLIT_FILE
from core.systems.evaluations import PROJECT_DIR
from models.builders import BUILDERS
from models.manifest import file_sha256
from training.fit.run_folder import BEST_WEIGHTS
from training.prior import shift_logits


def write_half_precision(model: keras.Model, path: Path) -> None:
    """Save weights with kernels as float16; vectors (biases, batch statistics) stay float32."""
    full = path.with_name("full.weights.h5")
    model.save_weights(full)
    with h5py.File(full) as source, h5py.File(path, "w") as target:

        def copy(name: str, item) -> None:
            if isinstance(item, h5py.Dataset):
                value = item[()]
                half = value.ndim > 1 and value.dtype == np.float32
                packed = {"compression": "gzip", "shuffle": True} if half else {}
                target.create_dataset(name, data=value.astype(np.float16) if half else value, **packed)
            else:
                target.require_group(name)
            holder = target[name]
            for key, attribute in item.attrs.items():
                holder.attrs[key] = attribute

        for key, attribute in source.attrs.items():
            target.attrs[key] = attribute
        source.visititems(copy)
    full.unlink()


def export_network(run_dir: Path, builder: str, file: Path, **arguments) -> dict:
    """Write one network's weights and return its manifest entry."""
    record = json.loads((run_dir / "config.json").read_text())
    arguments = record["config"]["model"] | arguments
    model = BUILDERS[builder](**arguments)
    model.load_weights(run_dir / BEST_WEIGHTS)
    write_half_precision(model, file)
    return {
        "file": file.name,
        "sha256": file_sha256(file),
        "builder": builder,
        "arguments": arguments,
        "pixel_range": [0, 255],
        "parameters": model.count_params(),
        "long_side_px": record["config"]["long_side_px"],
        "training_command": record["command"],
        "training_run": run_dir.name,
        "training_scores": json.loads((run_dir / "scores.json").read_text()),
        "split_file": str(SPLIT_FILE.relative_to(PROJECT_DIR)),
        "splits": {"weights": ", ".join(record["config"].get("learn", ["train"])), "decisions": "validation"},
    }


def shift_exported(entry: dict, out: Path, offsets: list[float]) -> dict:
    """Shift the logits of the classifier that lies in `out`; returns its manifest entry with the new hash."""
    model = BUILDERS[entry["builder"]](**entry["arguments"])
    file = out / entry["file"]
    model.load_weights(file)
    shift_logits(model, np.array(offsets))
    write_half_precision(model, file)
    return entry | {"sha256": file_sha256(file)}
