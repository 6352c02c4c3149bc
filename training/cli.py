"""The whole command line, `dermalens`: that of `core.cli`, and one command a stage of training.

    dermalens dataset download ham10000 --to DIR
    dermalens bundle fetch URL --sha256 HEX
    dermalens train split | segmenter | classifier | export | trust | ...
    dermalens evaluate scores | robustness | phantoms | ...

A stage is a module with a `main()` that parses its own options; it is imported when it is called.
"""

import importlib
import sys
from collections.abc import Callable

import typer

import core.cli

app = typer.Typer(
    cls=core.cli.Commands,
    help=core.cli.app.info.help,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(core.cli.app)
dataset = typer.Typer(help="Download a dataset, or check one before it is trusted.", no_args_is_help=True)
dataset.add_typer(core.cli.dataset)
bundle = typer.Typer(help="Fetch, verify or describe a bundle of weights.", no_args_is_help=True)
bundle.add_typer(core.cli.bundle)
train = typer.Typer(help="From a dataset to a bundle of weights, stage by stage.", no_args_is_help=True)
evaluate = typer.Typer(help="Measure a bundle.", no_args_is_help=True)
for name, group in (("dataset", dataset), ("bundle", bundle), ("train", train), ("evaluate", evaluate)):
    app.add_typer(group, name=name)

# (group, command, module below training, what it does)
STAGES = (
    (dataset, "download", "data.download", "Fetch a dataset from its official source."),
    (bundle, "fetch", "bundle.fetch", "Download a bundle and put it where it can be chosen."),
    (
        train,
        "duplicates",
        "data.duplicates",
        "Find pairs of images that show the same skin, before the split.",
    ),
    (train, "split", "data.make_split", "Split the images into train, validation and test, by lesion."),
    (train, "segmenter", "fit.train_segmentation", "Train the network that outlines the lesion."),
    (train, "classifier", "fit.train_classification", "Train the network that names the diagnosis."),
    (train, "export", "bundle.export", "Pack trained networks into a bundle."),
    (
        train,
        "trust",
        "bundle.fit_trust",
        "Fit prediction sets, out-of-distribution score and balanced decision on validation.",
    ),
    (
        train,
        "structures",
        "bundle.fit_structures",
        "Fit a bundle's probe of dermoscopic structures.",
    ),
    (train, "features", "bundle.embed", "Index a dataset's features for similar images and the map."),
    (train, "graphs", "bundle.graph", "Write the files from which other runtimes build a bundle's networks."),
    (app, "export-mobile", "bundle.mobile", "Write the classifier as .tflite files for phones."),
    (train, "recipe", "recipe", "Run all stages of the weights that ship, one after the other."),
    (evaluate, "scores", "measure.evaluate", "Score a bundle on a split and write its predictions."),
    (evaluate, "robustness", "measure.robustness", "Score a bundle on corrupted images."),
    (evaluate, "sam", "measure.sam", "Score a bundle on the SAM, SAM-C and SAM-P robustness benchmark."),
    (evaluate, "phantoms", "measure.phantoms", "Score a bundle's masks on drawn lesions."),
    (
        evaluate,
        "symmetries",
        "measure.symmetries",
        "Measure how predictions change when an image is rotated or mirrored.",
    ),
    (
        evaluate,
        "outlines",
        "measure.outlines",
        "Measure where experts would draw the outline: the tightest and the widest plausible one.",
    ),
    (evaluate, "facts", "measure.patient_facts", "Measure what age, sex and site would add."),
    (evaluate, "quality", "measure.quality_thresholds", "Derive the thresholds of the quality warnings."),
    (evaluate, "precision", "measure.precision", "Measure whether bfloat16 may run a bundle's networks."),
    (evaluate, "systems", "measure.systems", "Compare the systems that ship."),
    (evaluate, "results", "report.results", "Gather the scores of all runs into tables."),
    (evaluate, "readme", "report.readme_scores", "Write the README's scores."),
)


def _stage(module: str) -> Callable[[typer.Context], None]:
    def run(context: typer.Context) -> None:
        # What the help shows and a run's record keeps, however the command was started.
        sys.argv = [f"dermalens {context.parent.info_name} {context.info_name}", *context.args]
        importlib.import_module(f"training.{module}").main()

    return run


for group, name, module, does in STAGES:
    passed_on = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}
    group.command(name, help=does, context_settings=passed_on)(_stage(module))


def main() -> None:
    """What the command `dermalens` runs."""
    core.cli.run(app)


if __name__ == "__main__":
    main()
