"""Cards of cases and one case in full, on a tiny predictions table and drawn images."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import streamlit as st
from PIL import Image
from streamlit.testing.v1 import AppTest

from core.evaluation.predictions import Predictions, from_frame
from core.phantoms.lesions import draw_phantom
from core.settings import DATA_VARIABLE
from pages.components.cases.cards import build_card, read_case
from pages.components.shared import dataset_folder
from tests.pages.driver import read_tables, read_text, run

CODES = ("akiec", "bcc", "mel", "nv")


def make_predictions(n: int = 30) -> Predictions:
    """Row i predicts class i mod 4 with 0.7; every true class is nv; row 1 is a script in a name."""
    probabilities = np.full((n, len(CODES)), 0.1)
    probabilities[np.arange(n), np.arange(n) % len(CODES)] = 0.7
    facts = {
        "image_id": [f"image_{i:02d}" for i in range(n)],
        "lesion_id": [f"lesion_{i:02d}" for i in range(n)],
        "dx": ["nv"] * n,
        "age": [45.0, np.nan] * (n // 2),
        "sex": ["male", "unknown"] * (n // 2),
        "localization": ["trunk"] * n,
        "dx_type": ["histo"] * n,
        "dice": [0.9366, np.nan] * (n // 2),
    }
    frame = pd.DataFrame(facts | {f"p_{code}": probabilities[:, k] for k, code in enumerate(CODES)})
    frame.loc[1, "image_id"] = "<script>alert(1)</script>"
    return from_frame(frame)


def batch_page(folder: str) -> None:
    """The cards of a batch run: every row brings its own picture."""
    import numpy as np

    from core.evaluation.predictions import IMAGE_PATH, from_frame
    from pages.components.cases.cards import draw_cards
    from tests.pages.cases.test_cases import make_predictions

    frame = make_predictions().frame
    frame[IMAGE_PATH] = [f"{folder}/{name}.jpg" for name in frame["image_id"]]
    draw_cards(from_frame(frame), np.array([2, 4]), "demo")


def open_batch(folder: Path) -> AppTest:
    return run(AppTest.from_function(batch_page, args=(str(folder),), default_timeout=60))


def cards_page(rows: list[int]) -> None:
    import numpy as np

    from pages.components.cases.cards import draw_cards
    from tests.pages.cases.test_cases import make_predictions

    draw_cards(make_predictions(), np.array(rows, dtype=np.int64), "demo")


def open_cards(rows: list[int]) -> AppTest:
    return run(AppTest.from_function(cards_page, args=(rows,), default_timeout=60))


def press(app: AppTest, key: str) -> AppTest:
    app.button(key=key).click()
    return run(app)


def read_html(app: AppTest) -> str:
    return "\n".join(element.value for element in app.get("html"))


def opened(app: AppTest) -> list[str]:
    """Names of the images whose cards are shown."""
    return [f"image_{int(b.key.removeprefix('demo_open_')):02d}" for b in app.button if "_open_" in b.key]


@pytest.fixture(autouse=True)
def no_dataset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(DATA_VARIABLE, raising=False)
    st.cache_data.clear()


@pytest.fixture
def drawn_dataset(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A dataset folder with one drawn image and its exact mask: image_02."""
    phantom = draw_phantom(7, size_px=(150, 200))
    for folder in ("HAM10000_images_part_1", "HAM10000_segmentations_lesion_tschandl"):
        (tmp_path / folder).mkdir()
    Image.fromarray(phantom.image).save(tmp_path / "HAM10000_images_part_1" / "image_02.jpg")
    mask = Image.fromarray(phantom.lesion_mask.astype(np.uint8) * 255)
    mask.save(tmp_path / "HAM10000_segmentations_lesion_tschandl" / "image_02_segmentation.png")
    row = "lesion_02,image_02,nv,histo,45,male,trunk"
    (tmp_path / "HAM10000_metadata.csv").write_text(
        f"lesion_id,image_id,dx,dx_type,age,sex,localization\n{row}\n"
    )
    monkeypatch.setenv(DATA_VARIABLE, str(tmp_path))
    return tmp_path


def test_cards_keep_the_callers_order_twelve_a_page():
    app = open_cards(list(range(29, -1, -1)))
    assert opened(app) == [f"image_{i:02d}" for i in range(29, 17, -1)]
    assert "**30 images**" in read_text(app)
    app.pagination[0].set_value(3)
    assert opened(run(app)) == [f"image_{i:02d}" for i in range(5, -1, -1)]


def test_few_cards_need_no_pages():
    app = open_cards([4])
    assert opened(app) == ["image_04"]
    assert not app.pagination
    assert "**1 image**" in read_text(app)


def test_no_rows_say_so():
    app = open_cards([])
    assert "No images here" in read_text(app)
    assert not app.button


def test_card_shows_classes_top_three_and_facts():
    card = build_card(read_case(make_predictions(), 2))
    assert 'Melanocytic nevus <span class="quiet">true' in card
    assert 'Melanoma <span class="quiet">predicted ✗' in card
    assert card.count('class="track"') == 3
    assert "45 · male · trunk · histopathology" in card
    assert "lesion_02" in card
    assert "Dice 0.937" in card
    assert "image not available" in card


def test_card_leaves_unknown_facts_out_and_shows_undefined_dice_as_a_dash():
    card = build_card(read_case(make_predictions(), 3))
    assert '<div class="quiet">trunk · histopathology</div>' in card
    assert "Dice –" in card
    assert "predicted ✓" in card


def test_name_from_a_file_cannot_carry_markup():
    card = build_card(read_case(make_predictions(), 1))
    assert "<script>" not in card
    assert "&lt;script&gt;" in card


def test_open_shows_the_whole_case_and_how_to_see_the_image():
    app = open_cards([2, 3])
    press(app, "demo_open_2")
    assert read_html(app).count('class="track"') == 2 * 3 + 4  # two cards with three bars, all four classes
    cells = read_tables(app).splitlines()
    assert {"Age", "45", "Confirmed by", "histopathology", "Lesion", "Dice", "0.937"} <= set(cells)
    assert "No pictures yet" in read_text(app)
    assert not [button for button in app.button if button.key == "demo_case_analyse"]


def test_image_that_the_dataset_does_not_hold_is_said(drawn_dataset: Path):
    app = open_cards([2, 3])
    press(app, "demo_open_3")
    assert "holds no image of this name" in read_text(app)


def test_gradcam_waits_for_its_button(drawn_dataset: Path, fake_networks):
    app = open_cards([2])
    assert "data:image/jpeg" in read_html(app)
    press(app, "demo_open_2")
    views = app.get_by_key("demo_case_view")
    assert views.options == ["Image", "Outlines"]  # the expert's mask is there, the model's is not
    assert fake_networks() == 0
    press(app, "demo_case_analyse")
    assert fake_networks() == 1
    assert app.get_by_key("demo_case_view").value == "Grad-CAM"
    assert app.selectbox[0].value == "mel"  # the predicted class comes first
    assert "dermoscopic criterion" in read_text(app)
    app.get_by_key("demo_case_view").set_value("Outlines")
    run(app)
    assert "blue the expert's · amber the model's" in read_text(app)


@pytest.fixture
def batch_folder(tmp_path: Path) -> Path:
    """Pictures of a batch run: image_02, whose name the drawn dataset has too, and image_04, which it lacks."""
    folder = tmp_path / "batch"
    folder.mkdir()
    for seed, name in ((1, "image_02"), (2, "image_04")):
        Image.fromarray(draw_phantom(seed, size_px=(90, 120)).image).save(folder / f"{name}.jpg")
    return folder


def test_case_of_a_batch_run_opens_without_a_dataset(batch_folder: Path):
    app = press(open_batch(batch_folder), "demo_open_2")
    assert app.button(key="demo_case_analyse")


def test_case_of_a_batch_run_opens_with_a_dataset_that_lacks_it(batch_folder: Path, drawn_dataset: Path):
    app = press(open_batch(batch_folder), "demo_open_4")
    assert app.button(key="demo_case_analyse")


def test_case_of_a_batch_run_gets_no_mask_of_another_image_with_its_name(
    batch_folder: Path, drawn_dataset: Path
):
    app = press(open_batch(batch_folder), "demo_open_2")
    assert app.button(key="demo_case_analyse")
    assert "demo_case_view" not in {
        control.key for control in app.segmented_control
    }  # no outline to switch to


def test_case_of_a_batch_run_over_the_dataset_has_the_experts_mask(drawn_dataset: Path):
    app = press(open_batch(drawn_dataset / "HAM10000_images_part_1"), "demo_open_2")
    assert app.get_by_key("demo_case_view").options == ["Image", "Outlines"]


def test_thumbnail_of_a_file_that_was_replaced_is_drawn_anew(batch_folder: Path):
    path = batch_folder / "image_02.jpg"
    before = dataset_folder.thumbnail(path)
    Image.fromarray(draw_phantom(5, size_px=(90, 120)).image).save(path)
    os.utime(path, ns=(1, 1))
    assert dataset_folder.thumbnail(path) != before
