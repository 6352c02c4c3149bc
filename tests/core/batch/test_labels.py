"""Labels from tables and folders: every image and every label is counted, none is lost."""

from pathlib import Path

import pytest

from core.batch.labels import LabelError, match_labels, read_labels
from core.datasets.files import labels_from_folders

CLASSES = ("akiec", "bcc", "mel", "nv")


def labels_of(table: bytes) -> dict[str, str]:
    """Image -> label."""
    frame = read_labels(table)
    return dict(zip(frame["image"], frame["label"], strict=True))


def paths(*names: str) -> list[Path]:
    return [Path("images") / name for name in names]


@pytest.mark.parametrize("column", ["image", "image_id", "isic_id", " Image "])
def test_codes_are_read_from_a_table(column):
    assert labels_of(f"{column},dx\na,MEL\nb, nv \n".encode()) == {"a": "mel", "b": "nv"}


def test_facts_are_carried_along_as_text_and_other_columns_are_not():
    labels = read_labels(b"image,dx,lesion_id,age,sex,note\n007,mel,L1,45.0,male,x\nb,nv,,,,\n")
    assert list(labels.columns) == ["image", "label", "lesion_id", "age", "sex"]
    assert labels.loc[0].tolist() == ["007", "mel", "L1", "45.0", "male"]
    assert labels.loc[1].tolist() == ["b", "nv", "", "", ""]


def test_one_hot_columns_of_isic_are_read():
    table = b"image,MEL,NV,BCC,AK,UNK\na,1.0,0,0,0,0\nb,0,0,0,1,0\nc,0,0,0,0,1\nd,0,0,0,0,0\ne,1,1,0,0,0\n"
    assert labels_of(table) == {"a": "mel", "b": "akiec", "c": "", "d": "", "e": "two different labels"}


def test_semicolons_and_the_mark_of_excel_are_understood():
    assert labels_of("\ufeffimage;dx\na;mel\n".encode()) == {"a": "mel"}


def test_an_id_may_be_a_file_name_and_a_dot_in_an_id_stays():
    labels = read_labels(b"image,dx\nimages/a.jpg,mel\ncase.12,nv\n")
    frame, _ = match_labels(paths("a.jpg", "case.12.png"), labels, CLASSES)
    assert frame["dx"].tolist() == ["mel", "nv"]


def test_an_image_with_two_different_labels_has_none_and_is_named():
    labels = read_labels(b"image,dx\na,mel\na,nv\nb,nv\nb,nv\n")
    frame, counts = match_labels(paths("a.jpg", "b.jpg"), labels, CLASSES)
    assert frame["dx"].tolist() == ["", "nv"]
    assert counts.unknown == {"two different labels": 1} and counts.labelled == 1


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (b"", "no readable CSV"),
        (b"\xff\xfe\x00", "no readable CSV"),
        (b"image,dx\n", "must be rows"),
        (b"name,dx\na,mel\n", "'image_id' or 'image' or 'isic_id'"),
        (b"image,colour\na,brown\n", "a column 'dx'"),
        (b"image,MEL,NV\na,often,no\n", "MEL .* no number"),
        (b"image,MEL,NV\na,0.7,0.3\n", "not probabilities"),
    ],
)
def test_unusable_tables_are_refused_with_what_is_wrong(table, message):
    with pytest.raises(LabelError, match=message):
        read_labels(table)


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(LabelError, match="no readable CSV"):
        read_labels(tmp_path / "nowhere.csv")


def test_every_image_and_every_label_is_counted():
    table = b"image,dx\na,mel\nb,sk\nc,\nd,scc\nnowhere,nv\nelsewhere,mel\n"
    images = paths("a.jpg", "b.jpg", "c.jpg", "d.png", "e.jpg")
    frame, counts = match_labels(images, read_labels(table), CLASSES)
    # a is labelled; b and d are no class of this model; c has an empty cell and e no row.
    assert frame["dx"].tolist() == ["mel", "", "", "", ""]
    assert frame["label"].tolist() == ["mel", "sk", "", "scc", ""]
    assert (counts.labelled, counts.unlabelled, counts.without_image) == (1, 2, 2)
    assert counts.unknown == {"sk": 1, "scc": 1}
    assert counts.labelled + counts.unlabelled + sum(counts.unknown.values()) == counts.images == 5
    assert counts.describe() == (
        "Labelled: 1 of 5 images · without a label: 2 · with a label that is no class of the model: "
        "sk (1), scc (1) · labels without an image: 2"
    )


def test_facts_of_an_image_without_a_row_are_empty():
    labels = read_labels(b"image,dx,age\na,mel,45\n")
    frame, _ = match_labels(paths("a.jpg", "b.jpg"), labels, CLASSES)
    assert frame["age"].tolist() == ["45", ""]


def test_folders_name_the_class_the_nearest_first():
    root = Path("data")
    images = [
        root / name for name in ("MEL/a.jpg", "nv/patient 1/b.jpg", "mel/nv/c.jpg", "odd/d.jpg", "e.jpg")
    ]
    labels = labels_from_folders(images, root)
    assert labels == ["mel", "nv", "nv", "odd", ""]
    frame, counts = match_labels(images, labels, CLASSES)
    assert frame["dx"].tolist() == ["mel", "nv", "nv", "", ""]
    assert counts.unknown == {"odd": 1} and counts.unlabelled == 1


def test_the_folder_of_the_images_itself_is_no_label():
    assert labels_from_folders([Path("/data/mel/a.jpg")], Path("/data/mel")) == [""]


def test_without_labels_everything_is_unlabelled():
    frame, counts = match_labels(paths("a.jpg", "b.jpg"), None, CLASSES)
    assert frame["dx"].tolist() == ["", ""] and counts.unlabelled == 2
    assert counts.describe() == "No labels: predictions and their distribution alone"


# --- the path that a label gives


def labels_given(table: bytes, *names: str, root: Path | None = None) -> tuple[list[str], object]:
    frame, counts = match_labels([Path("/d") / name for name in names], read_labels(table), CLASSES, root)
    return frame["dx"].tolist(), counts


def test_a_label_with_a_folder_is_for_the_file_in_that_folder_alone():
    given, counts = labels_given(b"image,dx\np1/IMG_1.jpg,mel\n", "p1/IMG_1.jpg", "p2/IMG_1.jpg")
    assert given == ["mel", ""] and (counts.unlabelled, counts.ambiguous) == (1, 0)


def test_the_same_name_in_two_folders_gets_each_its_own_label():
    table = b"image,dx\np1/IMG_1.jpg,mel\np2\\IMG_1.jpg,nv\n"
    assert labels_given(table, "p1/IMG_1.jpg", "p2/IMG_1.jpg")[0] == ["mel", "nv"]


def test_a_bare_name_that_fits_several_files_gives_none_of_them_a_label_and_is_counted():
    given, counts = labels_given(b"image,dx\nIMG_1,mel\n", "p1/IMG_1.jpg", "p2/IMG_1.jpg")
    assert given == ["", ""] and counts.ambiguous == 1 and counts.without_image == 0
    assert "fit several images, so that none has it: 1" in counts.describe()


def test_a_label_from_another_folder_is_for_no_file():
    given, counts = labels_given(b"image,dx\np1/IMG_1.jpg,mel\n", "p2/IMG_1.jpg")
    assert given == [""] and counts.without_image == 1


def test_an_uploaded_file_has_no_folder_and_takes_the_label_of_its_name():
    assert labels_given(b"image,dx\nD:\\set\\p1\\a.jpg,mel\n", "a.jpg", root=Path("/d"))[0] == ["mel"]


def test_two_uploads_of_one_name_are_told_apart_by_nothing_so_neither_has_the_label():
    given, counts = labels_given(b"image,dx\na,mel\n", "a.jpg", "upload 2/a.jpg", root=Path("/d"))
    assert given == ["", ""] and counts.ambiguous == 1


@pytest.mark.parametrize(
    ("row", "name"),
    [
        ("isic_1", "ISIC_1.jpg"),
        ("ISIC_1_downsampled", "ISIC_1.jpg"),
        ("ISIC_1", "ISIC_1_downsampled.jpg"),
        ("scan.1.v2", "scan.1.v2.jpg"),
        ("IMG_1.heic", "IMG_1.jpg"),
        ("La\u0308sion", "L\u00e4sion.jpg"),
        ("\u200bISIC_1\u00a0", "ISIC_1.jpg"),
        ("00000", "00000.png"),
    ],
)
def test_spelling_is_forgiven_where_only_one_file_fits(row, name):
    assert labels_given(f"image,dx\n{row},mel\n".encode(), name)[0] == ["mel"]


def test_letter_case_and_suffix_decide_where_several_files_fit():
    table = b"image,dx\nx.jpg,mel\nX.jpg,nv\nx.png,bcc\n"
    assert labels_given(table, "x.jpg", "X.jpg", "x.png")[0] == ["mel", "nv", "bcc"]


def test_a_table_of_our_own_names_the_file_by_its_path():
    table = b"image_id,path,dx\nx,a/x.jpg,mel\nx_3,b/x.jpg,nv\nx_2,c/x_2.jpg,bcc\n"
    assert labels_given(table, "a/x.jpg", "b/x.jpg", "c/x_2.jpg")[0] == ["mel", "nv", "bcc"]


def test_long_names_of_folders_are_classes():
    root = Path("d")
    assert labels_from_folders([root / "Melanoma" / "a.jpg", root / "Nevus" / "b.jpg"], root) == ["mel", "nv"]
