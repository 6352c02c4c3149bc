"""One network of a bundle: its weights in half precision on disk and its entry in the manifest."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np

from core.datasets.splits import HAM10000, SPLIT_FILE
from core.systems.evaluations import PROJECT_DIR
from core.taxonomy import BINARY_CLASSES
from models.builders import BUILDERS
from models.ensemble import join_classifiers
from models.manifest import MANIFEST_NAME, file_sha256
from training.data.augmentation import TRAINING_CORRUPTIONS
from training.fit.run_folder import BEST_WEIGHTS, read_config

# What the members of a joined classifier must agree in.
SHARED = ("builder", "model", "classes", "binary", "views", "crop_margin", "long_side_px")


def write_half_precision(model: keras.Model, path: Path) -> None:
    """Save weights with kernels as float16; vectors (biases, batch statistics) stay float32.

    Trained kernels do not compress (gzip: by 0 %), and reading them packed takes twice as long. The file holds
    no times: the same weights give the same bytes.
    """
    full = path.with_name("full.weights.h5")
    model.save_weights(full)
    timeless = h5py.h5p.create(h5py.h5p.GROUP_CREATE)
    timeless.set_obj_track_times(False)
    with h5py.File(full) as source, _create_timeless(path) as target:

        def copy(name: str, item) -> None:
            if isinstance(item, h5py.Dataset):
                value = item[()]
                half = value.ndim > 1 and value.dtype == np.float32
                target.create_dataset(name, data=value.astype(np.float16) if half else value)
            else:
                h5py.h5g.create(target.id, name.encode(), gcpl=timeless)
            holder = target[name]
            for key, attribute in item.attrs.items():
                holder.attrs[key] = attribute

        for key, attribute in source.attrs.items():
            target.attrs[key] = attribute
        source.visititems(copy)
    full.unlink()


def _create_timeless(path: Path) -> h5py.File:
    creation, access = (h5py.h5p.create(kind) for kind in (h5py.h5p.FILE_CREATE, h5py.h5p.FILE_ACCESS))
    creation.set_obj_track_times(False)
    access.set_libver_bounds(h5py.h5f.LIBVER_LATEST, h5py.h5f.LIBVER_LATEST)
    return h5py.File(h5py.h5f.create(bytes(path), h5py.h5f.ACC_TRUNC, creation, access))


def export_network(run_dir: Path, builder: str, file: Path, **arguments) -> dict:
    """Write the weights of one run's network and return its manifest entry."""
    arguments = read_config(run_dir)["model"] | arguments
    return _write(_build(run_dir, builder, arguments), builder, arguments, [run_dir], file)


def export_classifier(run_dirs: Sequence[Path], file: Path) -> dict:
    """Write one classifier, or several that were trained apart and answer with the mean of their logits.

    Args:
        run_dirs: one or more runs of the same architecture and classes.
        file: the weights file to write.

    Returns:
        The manifest entry.

    Raises:
        ValueError: the runs differ in something that a joined network cannot.
    """
    configs = [read_config(run_dir) for run_dir in run_dirs]
    for run_dir, config in zip(run_dirs, configs, strict=True):
        differing = [name for name in SHARED if config.get(name) != configs[0].get(name)]
        if differing:
            raise ValueError(
                f"{run_dir.name} and {run_dirs[0].name} cannot be joined: they differ in {', '.join(differing)}."
            )
    first = configs[0]
    arguments = first["model"] | {"n_classes": len(answers_of(first))}
    if len(run_dirs) == 1:
        return export_network(run_dirs[0], first["builder"], file, **arguments)
    if first["builder"] != "classifier":
        raise ValueError(f"Only networks of the builder 'classifier' are joined; got {first['builder']!r}.")
    shares = [1 / len(run_dirs)] * len(run_dirs)
    members = [_build(run_dir, first["builder"], arguments) for run_dir in run_dirs]
    joined = join_classifiers(members, shares)
    return _write(joined, "ensemble", arguments | {"shares": shares}, run_dirs, file)


def answers_of(config: dict[str, Any]) -> list[str]:
    """The classes of a classifier's run in the order of its outputs."""
    return list(BINARY_CLASSES) if config.get("binary") else config["classes"]


def _build(run_dir: Path, builder: str, arguments: dict[str, Any]) -> keras.Model:
    model = BUILDERS[builder](**arguments)
    model.load_weights(run_dir / BEST_WEIGHTS)
    return model


def _write(
    model: keras.Model, builder: str, arguments: dict[str, Any], run_dirs: Sequence[Path], file: Path
) -> dict:
    """Write a network's weights; its manifest entry, with what its runs record."""
    write_half_precision(model, file)
    records = [json.loads((run_dir / "config.json").read_text()) for run_dir in run_dirs]
    configs = [record["config"] for record in records]
    drew = any(config.get("augmentation", {}).get("corruption") for config in configs)
    digest = file_sha256(file)
    return {
        "file": _share(file, digest),
        "sha256": digest,
        "builder": builder,
        "arguments": arguments,
        "pixel_range": [0, 255],
        "parameters": model.count_params(),
        "long_side_px": configs[0]["long_side_px"],
        "training_commands": [record["command"] for record in records],
        "training_runs": [run_dir.name for run_dir in run_dirs],
        "training_scores": [json.loads((run_dir / "scores.json").read_text()) for run_dir in run_dirs],
        "corruptions_learned": list(TRAINING_CORRUPTIONS) if drew else [],
        "split_file": str(SPLIT_FILE.relative_to(PROJECT_DIR)),
        "splits": {"weights": "train", "decisions": "validation"},
        "sets": list(dict.fromkeys(name for config in configs for name in config.get("sets", [HAM10000]))),
    }


def _share(file: Path, digest: str) -> str:
    """How the manifest names a weights file: where a sibling bundle has the same one, that is named and this goes."""
    for manifest in sorted(file.resolve().parent.parent.glob(f"*/{MANIFEST_NAME}")):
        for other in manifest.parent.glob("*.weights.h5"):
            if not other.parent.samefile(file.parent) and file_sha256(other) == digest:
                file.unlink()
                return f"../{other.parent.name}/{other.name}"
    return file.name
