"""Command line of the engine: `dermalens`, and without the commands of `training` `python -m core.cli`.

    dermalens app
    dermalens analyze PATH... [--csv out.csv] [--json out.json] [--masks DIR] [--overlays DIR]
    dermalens batch PATH... --to DIR [--labels TABLE.csv] [--ray [ADDRESS]]
    dermalens dataset check --data DIR [--csv FILE]
    dermalens bundle verify|card [DIR]

A PATH is an image or a folder. An unreadable file gives a row with its error and the run continues; the
exit status is 1 if any failed. `batch` stores every finished image at once: if stopped, the same command
resumes. It writes the predictions table that the Evaluate page opens.

An error that the user can correct (`core.errors.DermalensError`, a file that cannot be written) is one line on standard
error and exit status 2, like a wrong option.
"""

import atexit
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
from typer.core import TyperCommand, TyperGroup

from core.analysis import Analysis
from core.analyzer import Analyzer
from core.batch.analyze import Outcome, analyze_paths, find_images
from core.errors import DermalensError
from core.images.drawing import draw_overlay, encode_png
from core.images.finding import FoundImages, describe_left_alone
from core.report import NOTICE, analysis_record, analysis_row, error_row, rows_to_csv
from core.settings import DATA_VARIABLE, PROJECT_DIR


class Commands(TyperGroup):
    """A group of commands that prints an error that the user can correct as one line, with exit status 2."""

    def invoke(self, ctx: typer.Context) -> object:
        try:
            return super().invoke(ctx)
        except BrokenPipeError:  # `dermalens … | head`
            raise
        except (DermalensError, OSError) as error:
            typer.echo(" ".join(str(error).split()), err=True)
            raise typer.Exit(2) from error


app = typer.Typer(
    cls=Commands, help=NOTICE, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False
)
dataset = typer.Typer(help="Check a dataset before it is trusted.", no_args_is_help=True)
app.add_typer(dataset, name="dataset")
bundle = typer.Typer(help="Verify or describe a bundle of weights.", no_args_is_help=True)
app.add_typer(bundle, name="bundle")


@app.command("app", context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def serve(context: typer.Context) -> None:
    """Start the app in the browser; further options go to Streamlit, such as --server.port 8080."""
    # Streamlit takes the theme from .streamlit beside the script, from whatever folder it is started.
    script = PROJECT_DIR / "streamlit_app.py"
    command = [sys.executable, "-m", "streamlit", "run", str(script), *context.args]
    with suppress(KeyboardInterrupt):
        raise typer.Exit(subprocess.run(command, check=False).returncode)


@app.command()
def analyze(
    paths: Annotated[list[Path], typer.Argument(help="images or folders")],
    csv: Annotated[Path | None, typer.Option(help="write one row an image")] = None,
    json_file: Annotated[Path | None, typer.Option("--json", help="write full records")] = None,
    masks: Annotated[Path | None, typer.Option(help="folder for <stem>.png masks, 0/255")] = None,
    overlays: Annotated[Path | None, typer.Option(help="folder for <stem>.png overlays")] = None,
    no_tta: Annotated[bool, typer.Option("--no-tta", help="one view instead of eight")] = False,
) -> None:
    """Analyse dermoscopic images; without --csv or --json the table goes to standard output."""
    found = _without_outputs(find_images(paths), paths, filter(None, (masks, overlays)))
    images, names = found.paths, found.names
    analyzer = Analyzer.load()
    if analyzer.bundle.note:
        typer.echo(analyzer.bundle.note, err=True)
    classes = analyzer.bundle.manifest.classes
    settings = replace(analyzer.default_settings, test_time_augmentation=not no_tta)
    # Before the work, so that a folder that cannot be made does not cost its results.
    for folder in (masks, overlays, csv and csv.parent, json_file and json_file.parent):
        if folder:
            folder.mkdir(parents=True, exist_ok=True)
    rows, records, failed = [], [], 0
    progress, say = _with_bar(analyze_paths(analyzer, images, settings), len(images))
    for outcome, name in zip(progress, names, strict=True):
        if outcome.analysis is None:
            failed += 1
            say(f"{outcome.path}: {outcome.error}", file=sys.stderr)
            rows.append(error_row(outcome.stem, outcome.error, classes, name))
            records.append({"image": {"name": outcome.path.name, "path": name}, "error": outcome.error})
            continue
        rows.append(analysis_row(outcome.analysis, outcome.stem, name))
        if json_file:
            record = analysis_record(outcome.analysis)
            records.append(record | {"image": record["image"] | {"path": name}})
        _write_pictures(outcome.analysis, outcome.stem, masks, overlays)
    _write_results(rows_to_csv(rows, classes), records, csv, json_file)
    if found.left_alone:
        typer.echo(describe_left_alone(found.left_alone), err=True)
    if failed:
        raise _fail(f"{failed} of {len(images)} images failed.")


class BatchCommand(TyperCommand):
    """`--ray` may stand without an address, at the end or before another option: a cluster on this machine."""

    def parse_args(self, ctx: typer.Context, args: list[str]) -> list[str]:
        for place, word in enumerate(args):
            if word == "--ray" and (place + 1 == len(args) or args[place + 1].startswith("-")):
                args = [*args[: place + 1], "local", *args[place + 1 :]]
        return super().parse_args(ctx, args)


@app.command(cls=BatchCommand)
def batch(
    paths: Annotated[list[Path], typer.Argument(help="images, folders or addresses (s3://bucket/folder)")],
    to: Annotated[Path, typer.Option(help="folder of the run; the same folder resumes it")],
    labels: Annotated[
        Path | None, typer.Option(help="table of true classes, image,dx or ISIC one-hot")
    ] = None,
    folder_labels: Annotated[
        bool, typer.Option("--folder-labels", help="true classes are folder names")
    ] = False,
    no_tta: Annotated[bool, typer.Option("--no-tta", help="one view instead of eight")] = False,
    ray: Annotated[
        str,
        typer.Option(metavar="ADDRESS", help="work on this Ray cluster; without ADDRESS on one started here"),
    ] = "",
) -> None:
    """Predict many images, resumably; writes predictions.csv and errors.csv into the run's folder."""
    from core.batch.foreground import (
        run_batch,  # its file locks are not on every system that `analyze` runs on
    )

    try:
        progress = run_batch(paths, to, labels, folder_labels, not no_tta, ray)
    except KeyboardInterrupt:
        typer.echo("Stopped. The same command resumes the run.", err=True)
        raise typer.Exit(130) from None
    if progress.failed:
        raise _fail(f"failed: {progress.failed} of {progress.total} images; see {to / 'errors.csv'}")


@dataset.command()
def check(
    data: Annotated[Path, typer.Option(envvar=DATA_VARIABLE, help="the dataset's folder")],
    csv: Annotated[Path | None, typer.Option(help="write every finding here")] = None,
) -> None:
    """Look for leaks between splits, duplicates, missing files and unknown labels."""
    from tqdm import tqdm

    from core.datasets.checks import check_dataset, stack_findings, summarise
    from core.datasets.layouts import read_dataset

    frame = read_dataset(data)
    with tqdm(total=len(frame), unit="image") as bar:
        checks = check_dataset(frame, progress=lambda done, _: bar.update(done - bar.n))
    print(f"{frame.attrs['layout']}: {len(frame)} images of {frame['lesion_id'].nunique()} lesions")
    if frame.attrs["left_alone"]:
        print(describe_left_alone(frame.attrs["left_alone"]))
    print(summarise(checks))
    if csv:
        csv.parent.mkdir(parents=True, exist_ok=True)
        stack_findings(checks).to_csv(csv, index=False)


def _with_bar(outcomes: Iterable[Outcome], count: int) -> tuple[Iterable[Outcome], Callable[..., None]]:
    """With a progress bar where there are several, and what prints a line without spoiling it."""
    if count < 2:
        return outcomes, print
    from tqdm import tqdm

    return tqdm(outcomes, total=count, unit="image"), tqdm.write


@bundle.command()
def verify(
    folder: Annotated[Path | None, typer.Argument(help="of the bundle; the one in use by default")] = None,
) -> None:
    """Compare a bundle's files with its manifest, one line an item; exit status 2 on a fault."""
    from core.systems.bundle_files import check_bundle
    from models.manifest import bundle_dir

    items = check_bundle(folder or bundle_dir())
    for item in items:
        print(item.line)
    if any(item.fault for item in items):
        raise typer.Exit(2)


@bundle.command()
def card(
    folder: Annotated[Path | None, typer.Argument(help="of the bundle; the one in use by default")] = None,
) -> None:
    """Write the bundle's model card, README.md in Hugging Face's form, from its stored scores."""
    from core.systems.hub_card import write_card
    from models.manifest import read_manifest

    print(f"Wrote {write_card(read_manifest(folder))}")


def _without_outputs(found: FoundImages, paths: list[Path], folders: Iterable[Path]) -> FoundImages:
    """Leave out what an earlier run wrote into a subfolder of the folder that is analysed now."""
    outputs = {folder.resolve() for folder in folders} - {path.resolve() for path in paths}
    images = [image for image in found.paths if outputs.isdisjoint(image.resolve().parents)]
    return replace(found, paths=images)


def _write_pictures(analysis: Analysis, stem: str, masks: Path | None, overlays: Path | None) -> None:
    lesion = analysis.lesion
    if masks:
        (masks / f"{stem}.png").write_bytes(encode_png(lesion.lesion_mask))
    if overlays:
        drawn = draw_overlay(
            analysis.image.pixels, lesion.lesion_mask, lesion.contour, other_spots=lesion.other_spots
        )
        (overlays / f"{stem}.png").write_bytes(encode_png(drawn))


def _write_results(table: str, records: list, csv: Path | None, json_file: Path | None) -> None:
    if csv:
        csv.write_text(table, encoding="utf-8")
    if json_file:
        json_file.write_text(json.dumps(records, indent=1) + "\n", encoding="utf-8")
    if not csv and not json_file:
        with suppress(BrokenPipeError):
            print(table, end="")


def _fail(message: str) -> typer.Exit:
    typer.echo(message, err=True)
    return typer.Exit(1)


def run(commands: Callable[[], object]) -> None:
    """Run a command line and end the process: without taking the networks apart, which lasts half a second."""
    status = 1
    # What is registered first is called last: after what libraries do at the end, and after all threads.
    atexit.register(lambda: _end(status))
    try:
        commands()
        status = 0
    except SystemExit as end:
        status = end.code or 0
        raise


def _end(status: int) -> None:
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError):  # `dermalens … | head`
            stream.flush()
    os._exit(status)


if __name__ == "__main__":
    run(app)
