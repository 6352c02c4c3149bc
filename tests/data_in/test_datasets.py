"""Dataset folders as they are published, unpacked and copied: the same images, masks, classes and facts."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from core.datasets.frame import DatasetError
from core.datasets.layouts import read_dataset
from core.images.finding import describe_left_alone, find_pictures

HAM = "lesion_id,image_id,dx,dx_type,age,sex,localization\nHAM_1,ISIC_1,nv,histo,50.0,male,back\n"
MASKS = "HAM10000_segmentations_lesion_tschandl"


@pytest.fixture
def put(tmp_path):
    """A function that writes files below the dataset's folder: a text, or a small picture by the suffix."""

    def write(*names: str, text: str | bytes | None = None) -> Path:
        for name in names:
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if text is not None:
                path.write_bytes(text if isinstance(text, bytes) else text.encode())
            else:
                kind = {".jpg": "JPEG", ".jfif": "JPEG", "": "JPEG"}.get(path.suffix.lower())
                Image.fromarray(np.full((70, 90, 3), len(name), np.uint8)).save(path, kind)
        return tmp_path

    return write


@pytest.mark.parametrize(
    ("image", "mask", "table"),
    [
        ("HAM10000_images_part_1/ISIC_1.jpg", f"{MASKS}/ISIC_1_segmentation.png", "HAM10000_metadata.csv"),
        ("HAM10000_images_part_1/ISIC_1.JPG", f"{MASKS}/ISIC_1_segmentation.PNG", "HAM10000_metadata"),
        ("ham10000_images_part_1/ISIC_1.webp", f"{MASKS}/ISIC_1.png", "HAM10000_metadata.tab"),
        (
            "HAM10000_images_part_1/HAM10000_images_part_1/ISIC_1.png",
            f"{MASKS}/m/ISIC_1_mask.png",
            "x/HAM10000_metadata.csv",
        ),
        ("ISIC_1.jpg", "masks/ISIC_1_Segmentation.bmp", "hamdata/ham10000_METADATA.csv"),
        ("all/ISIC_1.bmp", "ISIC_1_segmentation.jpg", "HAM10000_metadata.tsv"),
    ],
)
def test_ham10000_is_read_however_it_was_unpacked(put, image, mask, table):
    root = put(image, mask)
    put(table, text=HAM.replace(",", "\t") if table.endswith((".tab", ".tsv")) else HAM)
    frame = read_dataset(root)
    assert frame.attrs["layout"] == "HAM10000" and frame["image_id"].tolist() == ["ISIC_1"]
    assert frame["image_path"].tolist() == [str(root / image)] and frame["mask_path"].tolist() == [
        str(root / mask)
    ]
    assert frame.loc[0, ["lesion_id", "dx", "dx_type", "sex"]].tolist() == ["HAM_1", "nv", "histo", "male"]


def test_a_release_that_is_unpacked_twice_is_read_once(put):
    root = put("HAM10000_images_part_1/ISIC_1.jpg", "ham10000_images_part_1/ISIC_1.jpg")
    put("HAM10000_metadata.csv", text=HAM)
    assert read_dataset(root)["image_path"].tolist() == [str(root / "HAM10000_images_part_1/ISIC_1.jpg")]


def test_milk10k_as_published_has_the_diagnosis_of_the_lesion_and_leaves_close_ups_out(put):
    root = put("MILK10k_Training_Input/IL_1/ISIC_1.jpg", "MILK10k_Training_Input/IL_1/ISIC_2.jpg")
    put("MILK10k_Training_Input/IL_2/ISIC_3.jpg")
    put(
        "MILK10k_Training_GroundTruth.csv", text="lesion_id,AKIEC,BCC,SCCKA,INF\nIL_1,0,0,1,0\nIL_2,0,0,0,1\n"
    )
    rows = "IL_1,clinical: close-up,ISIC_1,80,male,4,trunk\nIL_1,dermoscopic,ISIC_2,80,male,4,trunk\n"
    rows += "IL_2,dermoscopic,ISIC_3,,female,0,hand\n"
    head = "lesion_id,image_type,isic_id,age_approx,sex,skin_tone_class,site\n"
    put("MILK10k_Training_Metadata.csv", text=head + rows)
    head = "isic_id,diagnosis_full,diagnosis_confirm_type,invasion_thickness_interval\n"
    put("MILK10k_Training_Supplement.csv", text=head + "ISIC_2,Keratoacanthoma,histopathology,<0.8\n")
    frame = read_dataset(root)
    assert frame.attrs["layout"] == "MILK10k" and frame["image_id"].tolist() == ["ISIC_2", "ISIC_3"]
    assert frame["dx"][0] == "scc" and pd.isna(frame["dx"][1])
    facts = ["lesion_id", "dx_type", "age", "localization", "skin_tone_class", "thickness"]
    assert frame.loc[0, facts].tolist() == ["IL_1", "histo", 80.0, "trunk", "4", "<0.8"]


def test_isic_2020_is_read_with_its_patients_and_unknown_is_no_label(put):
    root = put("train/ISIC_1.jpg", "train/ISIC_2.jpg")
    head = "image_name,patient_id,sex,age_approx,anatom_site_general_challenge,diagnosis,benign_malignant,target\n"
    rows = "ISIC_1,IP_1,male,45.0,torso,melanoma,malignant,1\nISIC_2,IP_2,female,,,unknown,benign,0\n"
    put("ISIC_2020_Training_GroundTruth.csv", text=head + rows)
    frame = read_dataset(root)
    assert frame.attrs["layout"] == "ISIC 2020" and frame["patient_id"].tolist() == ["IP_1", "IP_2"]
    assert frame["dx"][0] == "mel" and pd.isna(frame["dx"][1]) and frame["localization"][0] == "torso"


def test_a_download_of_the_isic_archive_is_read(put):
    root = put("ISIC_1.jpg", "ISIC_2.jpg")
    head = "isic_id,attribution,age_approx,anatom_site_general,diagnosis_1,diagnosis_3,diagnosis_confirm_type,sex\n"
    rows = 'ISIC_1,A,60,"head/neck",Malignant,"Melanoma Invasive",histopathology,male\n'
    rows += "ISIC_2,A,,,Benign,Nevus,,female\n"
    put("metadata.csv", text=head + rows)
    frame = read_dataset(root)
    assert frame.attrs["layout"] == "ISIC Archive" and frame["dx"].tolist() == ["mel", "nv"]
    assert frame["dx_type"][0] == "histo" and frame["age"][0] == 60


def test_isic_2019_pairs_downsampled_images_with_plain_ids(put):
    root = put("ISIC_2019_Training_Input/ISIC_2019_Training_Input/ISIC_1_downsampled.jpg")
    put("ISIC_2019_Training_GroundTruth.csv", text="image,MEL,SCC,UNK\nISIC_1,0,1,0\nISIC_2,0,0,1\n")
    frame = read_dataset(root)
    assert (
        frame["dx"][0] == "scc"
        and pd.isna(frame["dx"][1])
        and frame["image_path"][0].endswith("downsampled.jpg")
    )


@pytest.mark.parametrize("table", ["labels.csv", "labels.tsv", "list.csv", "sub/Labels.csv"])
def test_plain_folders_of_images_masks_and_labels_are_read(put, table):
    root = put("images/a.webp", "images/b.jpg", "masks/a_segmentation.png")
    text = "image,dx,globules,skin_tone_class\na,Melanoma,1,5\nb,scc,0,0\n"
    put(table, text=text.replace(",", "\t") if table.endswith("tsv") else text)
    frame = read_dataset(root)
    assert frame["dx"].tolist() == ["mel", "scc"] and frame["globules"].tolist() == [1, 0]
    assert [bool(path) for path in frame["mask_path"]] == [True, False]
    assert frame["skin_tone_class"].tolist() == ["5", "0"]


def test_folders_of_classes_keep_equal_names_apart_and_pair_their_masks(put):
    root = put("images/mel/1.jpg", "images/Nevus/1.jpg", "masks/mel/1.png", "masks/Nevus/1_mask.png")
    frame = read_dataset(root)
    assert frame["image_id"].is_unique and sorted(frame["dx"]) == ["mel", "nv"]
    pairs = zip(frame["image_path"], frame["mask_path"], strict=True)
    assert all(Path(image).parent.name == Path(mask).parent.name for image, mask in pairs)


def test_different_files_of_one_id_give_no_image(put):
    root = put("images/p1/a.jpg", "images/p02/a.jpg", "images/b.jpg")
    put("labels.csv", text="image,dx\na,mel\nb,nv\n")
    assert [bool(path) for path in read_dataset(root)["image_path"]] == [False, True]


def test_an_unusable_table_is_named_with_what_was_found(put):
    put("HAM10000_images_part_1/ISIC_1.jpg")
    root = put("HAM10000_metadata.csv", text="lesion,image\nx,ISIC_1\n")
    with pytest.raises(
        DatasetError, match=r"lacks the column\(s\) lesion_id, image_id.*Headings found: 'lesion', 'image'"
    ):
        read_dataset(root)


# --- which files are pictures


@pytest.mark.parametrize(
    "name",
    [
        "a.jpg",
        "a.JPEG",
        "a.jfif",
        "IM000001",
        "deep/er/a.png",
        "a.webp",
        "a.bmp",
        "a.tif",
        "segmentation/images/a.jpg",
    ],
)
def test_pictures_are_found_by_name_or_content(put, name):
    assert find_pictures(put(name)).names == [name]


@pytest.mark.parametrize(
    ("name", "text", "kind"),
    [
        ("a.heic", b"", "HEIC"),
        ("a.gif", b"GIF89a", "GIF"),
        ("b", b"%PDF-1.4", "PDF"),
        ("labels.csv", b"image,dx\n", "CSV"),
        ("x.zip", b"PK\x03\x04", "ZIP"),
        ("DICOMDIR", bytes(128) + b"DICM", "DICOMDIR"),
        ("._a.jpg", b"\xff\xd8\xff", "hidden"),
        (".thumbnails/a.jpg", b"\xff\xd8\xff", "hidden"),
        ("@eaDir/a.jpg/b.jpg", b"\xff\xd8\xff", "hidden"),
        ("__MACOSX/a.jpg", b"\xff\xd8\xff", "hidden"),
        (".ipynb_checkpoints/a.jpg", b"\xff\xd8\xff", "hidden"),
        ("a_segmentation.png", b"\x89PNG\r\n", "mask"),
        ("a_Segmentation.PNG", b"\x89PNG\r\n", "mask"),
        ("masks/a.png", b"\x89PNG\r\n", "mask"),
        ("a_superpixels.png", b"\x89PNG\r\n", "superpixels"),
    ],
)
def test_what_is_no_picture_is_counted_by_kind(put, name, text, kind):
    found = find_pictures(put(name, text=text))
    assert found.paths == [] and dict(found.left_alone) == {kind: 1}
    assert describe_left_alone(found.left_alone) == f"left alone: 1 {kind}"
