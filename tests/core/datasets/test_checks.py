"""Each check on a dataset that has exactly one thing wrong, and on one that has none."""

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from typer.testing import CliRunner

from core.cli import app
from core.datasets import checks as dataset_checks
from core.datasets.checks import check_dataset, stack_findings, summarise
from core.datasets.ham10000 import METADATA_COLUMNS
from tests.core.datasets.test_near_duplicates import draw_skin

SPLITS = {"ISIC_1": "train", "ISIC_2": "train", "ISIC_3": "test", "ISIC_4": "test"}


def draw_disc_mask(shape: tuple[int, int]) -> np.ndarray:
    """(H, W) uint8, 255 on a disc in the middle."""
    y, x = np.mgrid[: shape[0], : shape[1]]
    return (((y - shape[0] / 2) ** 2 + (x - shape[1] / 2) ** 2) < (min(shape) / 4) ** 2).astype(
        np.uint8
    ) * 255


@pytest.fixture
def frame(tmp_path) -> pd.DataFrame:
    """Four good images with masks, of three lesions: ISIC_1 and ISIC_2 show the same one."""
    rows = []
    for number, lesion in enumerate(("L1", "L1", "L3", "L4"), start=1):
        path = tmp_path / f"ISIC_{number}.png"
        Image.fromarray(draw_skin(number)).save(path)
        mask_path = tmp_path / f"ISIC_{number}_segmentation.png"
        Image.fromarray(draw_disc_mask(draw_skin(number).shape[:2])).save(mask_path)
        rows.append(
            (lesion, f"ISIC_{number}", "nv", "histo", 50.0, "male", "back", str(path), str(mask_path))
        )
    return pd.DataFrame(rows, columns=[*METADATA_COLUMNS, "image_path", "mask_path"])


def findings(frame, splits=SPLITS) -> dict[str, pd.DataFrame]:
    """The tables of the checks that found something."""
    return {check.code: check.table for check in check_dataset(frame, splits) if not check.passed}


def test_a_good_dataset_passes_every_check(frame):
    checks = check_dataset(frame, SPLITS)
    assert all(check.passed for check in checks) and len(checks) == 8
    assert summarise(checks).count("ok") == 8


def test_a_table_indexed_by_image_id_is_checked_alike(frame):
    indexed = frame.set_index("image_id", drop=False)
    assert all(check.passed for check in check_dataset(indexed, SPLITS))


def test_a_lesion_in_two_splits_is_named_with_its_images(frame):
    table = findings(frame, SPLITS | {"ISIC_2": "test"})["straddling"]
    assert table.to_dict("records") == [
        {"lesion_id": "L1", "splits": "test, train", "images": "ISIC_1, ISIC_2"}
    ]


def test_an_image_without_a_split_straddles_nothing(frame):
    assert findings(frame, {"ISIC_1": "train"}) == {}


def test_the_same_picture_under_two_lesions_is_a_pair_and_says_whether_it_crosses_splits(frame):
    darker = (draw_skin(1) * 0.8).astype(np.uint8)
    Image.fromarray(darker).save(frame["image_path"][3])
    found = findings(frame)
    assert list(found) == ["duplicates"]
    # ISIC_4 shows what ISIC_1 shows; ISIC_2, with grain of its own, is no copy of either.
    [pair] = found["duplicates"].to_dict("records")
    assert (pair["image_1"], pair["image_2"], pair["lesion_1"], pair["lesion_2"]) == (
        *("ISIC_1", "ISIC_4"),
        *("L1", "L4"),
    )
    assert (
        pair["across_splits"]
        and pair["detail"] > 0.9
        and (pair["split_1"], pair["split_2"])
        == (
            "train",
            "test",
        )
    )
    assert not findings(frame, {})["duplicates"]["across_splits"].any()
    assert "1  pairs" in summarise(check_dataset(frame, SPLITS))


def test_the_same_picture_of_one_lesion_is_no_finding(frame):
    Image.fromarray(draw_skin(1)).save(frame["image_path"][1])
    assert findings(frame) == {}


def test_a_row_without_a_file_is_missing_and_not_unreadable(frame):
    frame.loc[2, "image_path"] = ""
    found = findings(frame)
    assert list(found) == ["missing"] and list(found["missing"]["image_id"]) == ["ISIC_3"]


def test_damaged_files_are_listed_with_the_reason_and_are_nobodys_duplicates(frame):
    for row in (0, 3):
        with open(frame["image_path"][row], "wb") as file:
            file.write(b"\xff\xd8\xff cut")
    found = findings(frame)
    assert list(found) == ["unreadable"] and list(found["unreadable"]["image_id"]) == ["ISIC_1", "ISIC_4"]
    assert found["unreadable"]["error"].str.len().min() > 10


@pytest.mark.parametrize("label", ["nevus", None, float("nan")])
def test_unknown_and_empty_labels_are_listed(frame, label):
    frame["dx"] = frame["dx"].astype(object)
    frame.loc[1, "dx"] = label
    found = findings(frame)
    assert list(found) == ["labels"]
    assert found["labels"].to_dict("records") == [
        {"image_id": "ISIC_2", "dx": "nevus" if label == "nevus" else ""}
    ]


def test_images_without_a_mask_are_listed(frame):
    frame.loc[1, "mask_path"] = ""
    assert list(findings(frame)["masks"]["image_id"]) == ["ISIC_2"]


def test_rows_that_stand_twice_are_listed_with_their_diagnoses(frame):
    again = frame.iloc[[0]].assign(dx="mel")
    found = findings(pd.concat([frame, again], ignore_index=True))
    assert list(found) == ["repeated"]
    assert found["repeated"].to_dict("records") == [{"image_id": "ISIC_1", "rows": 2, "dx": "mel, nv"}]


def test_progress_counts_every_image(frame):
    calls = []
    check_dataset(frame, SPLITS, progress=lambda done, total: calls.append((done, total)))
    assert calls == [(1, 4), (2, 4), (3, 4), (4, 4)]


def test_splits_come_from_a_split_file_the_committed_one_by_default(frame, tmp_path):
    frame["lesion_id"] = "L1"
    path = tmp_path / "splits.csv"
    path.write_text("# by lesion\nimage_id,split\nISIC_1,train\nISIC_3,validation\n")
    table = dataset_checks.read_split_names(path)
    assert findings(frame, table)["straddling"]["splits"].to_list() == ["train, validation"]
    assert {"train", "validation", "test"} <= set(dataset_checks.read_split_names().values())


def test_an_empty_dataset_has_no_findings(frame):
    assert findings(frame.head(0)) == {}


# --- the command


def run_command(*arguments):
    return CliRunner().invoke(app, ["dataset", "check", *map(str, arguments)])


def test_the_command_prints_a_summary_and_writes_every_finding_harmlessly(tmp_path):
    for name in ("mel/a.png", "=wart/b.png"):
        path = tmp_path / "data" / name
        path.parent.mkdir(parents=True)
        Image.fromarray(draw_skin(len(name))).save(path)
    table = tmp_path / "out" / "findings.csv"
    printed = run_command("--data", tmp_path / "data", "--csv", table).stdout
    assert "folder per class: 2 images of 2 lesions" in printed
    assert "1  rows without a known diagnosis" in printed and "2  images without an expert mask" in printed
    written = pd.read_csv(table)
    assert sorted(written["check"]) == ["labels", "masks", "masks"]
    assert written.loc[written["check"] == "labels", "dx"].item() == "'=wart"


def test_nothing_found_is_an_empty_table(frame):
    assert stack_findings(check_dataset(frame, SPLITS)).empty


def test_a_folder_that_is_no_dataset_ends_with_one_line(tmp_path):
    result = run_command("--data", tmp_path)
    assert result.exit_code == 2 and "No dataset is recognised" in result.stderr


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda mask: np.zeros_like(mask), "empty"),
        (lambda mask: np.full_like(mask, 255), "full"),
        (lambda mask: 255 - mask, "probably inverted"),
        (lambda mask: mask[: len(mask) // 2], "proportions"),
        (None, "damaged"),
    ],
    ids=["empty", "full", "inverted", "other shape", "damaged"],
)
def test_a_mask_that_cannot_be_right_is_listed_with_the_reason(frame, change, problem):
    path = frame["mask_path"][1]
    if change is None:
        with open(path, "wb") as file:
            file.write(b"\x89PNG\r\n\x1a\n cut")
    else:
        Image.fromarray(change(np.array(Image.open(path)))).save(path)
    found = findings(frame)
    assert list(found) == ["mask_files"] and found["mask_files"]["image_id"].tolist() == ["ISIC_2"]
    assert problem in found["mask_files"]["problem"][0]


@pytest.mark.parametrize("levels", [(0, 1), (0, 127), (0, 255)])
def test_masks_of_any_level_and_of_half_the_size_are_right(frame, levels):
    mask = np.array(Image.open(frame["mask_path"][0]))[::2, ::2]
    Image.fromarray(np.where(mask > 0, *levels[::-1]).astype(np.uint8)).save(frame["mask_path"][0])
    assert findings(frame) == {}
