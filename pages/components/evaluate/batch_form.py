"""The form of a new batch run: images, their labels, and how to analyse them."""

import hashlib
import shutil
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd
import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from core.batch import job as jobs
from core.batch import sources as image_sources
from core.batch.job import Job
from core.batch.labels import LabelError, match_labels, read_labels
from core.batch.limits import check_room, delete_old_runs
from core.batch.sources import ROOT_VARIABLE, SourceError
from core.datasets.files import labels_from_folders
from core.errors import DermalensError
from core.images.finding import IMAGE_EXTENSIONS, FoundImages
from core.settings import AnalysisSettings, default_filters, read_limits
from models.manifest import BundleError, Manifest
from pages.components.notebook.visitor import current_user
from pages.components.shared import engine, notices

UPLOAD, FOLDER = "Upload", "Folder on the server"
NO_LABELS, FOLDER_NAMES, TABLE = "None", "Sub-folder names", "CSV table"
WHOLE_ROOT = "(the whole folder)"
OTHER_TABLE = "another, from this computer"
KEPT = (
    "Uploaded images are kept on this server, in its temporary folder, until you delete the run or it has had no new "
    "result for {days:g} days. Only you see the run, and whoever you give its address to."
)
TABLE_HELP = (
    "A CSV, TSV or Excel file: columns `image,dx` (`image_id`, `isic_id` and `diagnosis` work too) with class codes, and if you have them "
    "`lesion_id, age, sex, localization, dx_type`; or the ISIC layout, a column a class with 0 and 1. "
    "`image` is the file's name, with or without extension; with its folder where two files are called alike."
)


@dataclass(frozen=True)
class Request:
    """What the form asks for.

    Attributes:
        root: the server's allowed folder; None for uploads.
        folder: below `root`.
        uploads: (name, bytes) of every uploaded file.
        labels: one of the label choices.
        table: of labels, as bytes or a path; None if none was given.
        labelled_only: leave out images without a usable label.
        name: of the run; "" names it after its images.
        augmented: average eight views.
    """

    root: Path | None
    folder: str
    uploads: Sequence[tuple[str, bytes]]
    labels: str
    table: bytes | Path | None
    labelled_only: bool
    name: str
    augmented: bool


def draw_form() -> Job | None:
    """The form; returns the run that was just started."""
    try:
        manifest = engine.read_current_manifest()
    except BundleError as error:
        notices.draw_bundle_error(error)
        return None
    left, right = st.columns(2, gap="medium")
    with left.container(border=True, height="stretch"):
        root, folder, files = _draw_images()
    with right.container(border=True, height="stretch"):
        labels, table, labelled_only = _draw_labels(root, folder)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        name = st.text_input(
            "Name of the run", key="batch_name", placeholder="named after its images", width=320
        )
        augmented = st.toggle(
            "Test-time augmentation",
            True,
            key="batch_augmented",
            help="Eight flips and quarter-turns are averaged, as for the shipped scores. Without it a run is "
            "several times faster.",
        )
        ready = bool(files) or root is not None
        pressed = st.button(
            "Start", type="primary", icon=":material/play_arrow:", key="batch_start", disabled=not ready
        )
    uploads = [(file.name, file.getvalue()) for file in files]
    request = Request(root, folder, uploads, labels, table, labelled_only, name.strip(), augmented)
    if pressed:
        return _start(request, manifest)
    if ready and labels != NO_LABELS:
        ids = tuple(file.file_id for file in files)
        _draw_label_counts(request, manifest, ids)
    return None


def _draw_label_counts(request: Request, manifest: Manifest, uploads: tuple[str, ...]) -> None:
    """How many images have a label, before the run starts; counted anew when images or labels change."""
    table = (
        request.table if isinstance(request.table, Path | None) else hashlib.sha256(request.table).hexdigest()
    )
    key = (uploads, request.root, request.folder, request.labels, table, manifest.classes)
    if st.session_state.get("batch_counted", (None,))[0] != key:
        try:
            top, paths = image_sources.list_paths(request.root, request.folder, request.uploads)
            said = _match(request, paths, top, manifest.classes)[1].describe()
        except (DermalensError, OSError) as error:
            said = str(error)
        st.session_state["batch_counted"] = key, said
    st.caption(f":material/label: {notices.escape(st.session_state['batch_counted'][1])}")


def _draw_images() -> tuple[Path | None, str, list[UploadedFile]]:
    st.subheader("Images", anchor=False)
    origin = st.segmented_control(
        "Images from",
        [UPLOAD, FOLDER],
        default=UPLOAD,
        required=True,
        key="batch_origin",
        label_visibility="collapsed",
    )
    if origin == FOLDER:
        root = image_sources.allowed_root()
        return root, _draw_folder(root), []
    files = st.file_uploader(
        "Drop images or one zip file",
        type=[*(extension.lstrip(".") for extension in IMAGE_EXTENSIONS), "heic", "heif", "zip"],
        accept_multiple_files=True,
        key=upload_key("images"),
    )
    st.caption(KEPT.format(days=read_limits().runs_days))
    return None, "", files


def _draw_folder(root: Path | None) -> str:
    if root is None:
        st.info(
            f"Set `{ROOT_VARIABLE}` to the folder that people may read images from, and start the app again.",
            title="This server reads no folder yet",
            icon=":material/folder_off:",
        )
        return ""
    chosen = st.selectbox(
        f"Folder below {root}",
        [WHOLE_ROOT, *image_sources.list_subfolders(root)],
        key="batch_folder",
        accept_new_options=True,
        help="Pick one or type a path below it; images in its sub-folders count too.",
    )
    st.caption("The images are read where they are; nothing is copied.")
    return "" if chosen in (None, WHOLE_ROOT) else chosen


def _draw_labels(root: Path | None, folder: str) -> tuple[str, bytes | Path | None, bool]:
    st.subheader("True classes", anchor=False)
    kind = st.segmented_control(
        "Labels from",
        [NO_LABELS, TABLE, FOLDER_NAMES],
        default=NO_LABELS,
        required=True,
        key="batch_labels",
        label_visibility="collapsed",
    )
    if kind == NO_LABELS:
        st.caption("Without labels you see the predictions and their distribution, and no scores.")
        return kind, None, False
    table = _draw_table(root, folder) if kind == TABLE else None
    if kind == FOLDER_NAMES:
        st.caption(
            "An image's class is the nearest folder above it that is named by a class code, as in `mel/a.jpg`."
        )
    return kind, table, st.toggle("Only images with a usable label", key="batch_labelled_only")


def _draw_table(root: Path | None, folder: str) -> bytes | Path | None:
    near = []
    if root is not None:
        try:
            near = image_sources.list_tables(root, image_sources.resolve_below(root, folder))
        except (SourceError, OSError):
            near = []  # said when the run is started
    picked = None
    if near:
        picked = st.selectbox(
            "Table",
            [*near, OTHER_TABLE],
            key="batch_table",
            help=TABLE_HELP,
            format_func=lambda path: path if path == OTHER_TABLE else path.name,
        )
    if isinstance(picked, Path):
        return picked
    file = st.file_uploader(
        "Labels as a table",
        type=["csv", "tsv", "tab", "txt", "xlsx"],
        key=upload_key("labels"),
        help=TABLE_HELP,
    )
    return file.getvalue() if file else None


def upload_key(kind: str) -> str:
    """A key that changes with every run, so that the drop zones are empty again."""
    return f"batch_{kind}_{st.session_state.get('batch_intake', 0)}"


# --- from the form to a run -------------------------------------------------------------------------
def _start(request: Request, manifest: Manifest) -> Job | None:
    try:
        with st.spinner("Preparing the images …"):
            job = create(request, manifest)
        jobs.start(job)
    except (DermalensError, OSError) as error:
        st.error(notices.escape(str(error)), title="The run was not started", icon=":material/error:")
        return None
    st.session_state["batch_intake"] = st.session_state.get("batch_intake", 0) + 1
    return job


def create(request: Request, manifest: Manifest) -> Job:
    """Write down the run that a form asks for; nothing stays behind where that fails.

    Raises:
        DermalensError, OSError: with what is wrong.
    """
    with ExitStack() as undo:
        root, limits = jobs.jobs_dir(), read_limits()
        delete_old_runs(root, limits)
        check_room(root, limits, sum(len(data) for _, data in request.uploads))
        folder = jobs.new_folder(root)
        undo.callback(shutil.rmtree, folder)
        if request.root is None:
            top, source = folder / "images", f"{len(request.uploads)} uploaded files"
            if len(request.uploads) == 1:
                source = request.uploads[0][0]
            found = image_sources.save_uploads(request.uploads, top)
            check_room(root, limits)  # a zip file has grown
        else:
            top = image_sources.resolve_below(request.root, request.folder)
            found, source = image_sources.find_below(request.root, request.folder), str(top)
        found, labels, left_out = _label(request, found, top, manifest.classes)
        settings = AnalysisSettings(default_filters(manifest), request.augmented)
        name = request.name or Path(source).name
        source += f"; left out without a usable label: {left_out:,}" if left_out else ""
        job = jobs.create_job(folder, found, labels, manifest, settings, name, source, current_user())
        undo.pop_all()
    return job


def _label(request: Request, found: FoundImages, top: Path, classes: Sequence[str]):
    """The images to analyse, their labels with the counts, and how many images were left out."""
    frame, counts = _match(request, found.paths, top, classes)
    if not request.labelled_only:
        return found, (frame, counts), 0
    keep = (frame["dx"] != "").to_numpy()
    if not keep.any():
        raise LabelError(f"No image has a usable label ({counts.describe()}).")
    paths = [path for path, kept in zip(found.paths, keep, strict=True) if kept]
    counts = replace(counts, images=len(paths), unlabelled=0, unknown={})
    return replace(found, paths=paths), (frame[keep], counts), int((~keep).sum())


def _match(request: Request, paths: Sequence[Path], top: Path, classes: Sequence[str]):
    """The labels of the images below `top`, and their counts."""
    given: pd.DataFrame | list[str] | None = None
    if request.labels == FOLDER_NAMES:
        given = labels_from_folders(paths, top)
    elif request.labels == TABLE:
        if request.table is None:
            raise LabelError("There is no table of labels. Drop a CSV file, or choose None.")
        given = read_labels(request.table)
    return match_labels(paths, given, classes, top if request.root is None else top.parent)
