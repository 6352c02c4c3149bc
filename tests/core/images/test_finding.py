"""Which files of a folder are pictures, and what each is called below it."""

from core.images.drawing import encode_png
from core.images.finding import find_images
from core.phantoms.lesions import draw_phantom


def test_pictures_of_a_folder_are_named_below_it_however_the_folder_is_given(tmp_path, monkeypatch):
    for folder in ("p1", "p2"):
        (tmp_path / "clinic" / folder).mkdir(parents=True)
        png = encode_png(draw_phantom(1, size_px=(96, 128)).image)
        (tmp_path / "clinic" / folder / "lesion.png").write_bytes(png)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    for given in (tmp_path / "clinic", "../clinic"):
        assert find_images(given).names == ["p1/lesion.png", "p2/lesion.png"]
