"""Dataset: with the images, without them and with a wrong folder; filters, cases, charts, map and checks."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from core.datasets.catalogue import NOT_GIVEN
from core.settings import DATA_VARIABLE
from core.systems.evaluations import RUNS_DIR
from pages.components.dataset import browse, context, feature_map
from tests.drawn_dataset import MASKS, ROWS, write_dataset
from tests.pages.conftest import open_app
from tests.pages.driver import DATASET, keys, read_text, run, visit

NEVUS, TRAINED, MELANOMA, TRAINED_TOO, SAME_MELANOMA = (row[1] for row in ROWS)


@pytest.fixture(autouse=True)
def no_dataset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(DATA_VARIABLE, raising=False)


@pytest.fixture
def drawn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Five drawn images, in use."""
    root = write_dataset(tmp_path / "drawn")
    monkeypatch.setenv(DATA_VARIABLE, str(root))
    return root


@pytest.fixture
def run_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A run with a map and an index of the drawn images: the nevus lies next to the trained melanoma."""
    folder = tmp_path / "run"
    folder.mkdir()
    angles = np.radians([0, 10, 90, 100, 180])  # cosine distances from the nevus grow in this order
    xy = np.c_[np.cos(angles), np.sin(angles)]
    names, lesions = [row[1] for row in ROWS], [row[0] for row in ROWS]
    arrays = {"image_ids": np.array(names), "lesion_ids": np.array(lesions), "fingerprint": "abc"}
    np.savez(folder / "features.npz", features=xy.astype(np.float16), **arrays)
    table = pd.DataFrame({"image_id": names, "x": xy[:, 0], "y": xy[:, 1]}).to_csv(index=False)
    (folder / "map.csv").write_text(f"# fingerprint abc\n{table}")
    for module in (context, feature_map):
        monkeypatch.setattr(module, "RUN_DIR", folder)
    return folder


def open_dataset(**address: str) -> AppTest:
    """The page at an address."""
    app = open_app()
    app.switch_page(DATASET)
    app.query_params.update(address)
    return run(app)


def type_folder(folder: Path) -> AppTest:
    """The page after the name of a dataset's folder was typed."""
    app = open_dataset()
    app.text_input(key="dataset_folder").input(str(folder))
    return run(app)


def pictures(app: AppTest, key: str = "browse_grid") -> list[dict]:
    """What a grid of thumbnails was given."""
    return json.loads(app.get_by_key(key).proto.json)["items"]


def shown(app: AppTest, key: str = "browse_grid") -> list[str]:
    return [item["id"] for item in pictures(app, key)]


def chart(app: AppTest, key: str) -> dict:
    return json.loads(app.get_by_key(key).proto.spec)


def label(app: AppTest, facet: str, option: str) -> str:
    return app.checkbox(key=f"facet_{facet}_{option}").label


def press(app: AppTest, key: str) -> AppTest:
    app.button(key=key).click()
    return run(app)


# --- three states


def test_without_a_dataset_the_shipped_facts_are_browsed_and_the_way_to_the_images_is_named():
    app = open_dataset()
    text = read_text(app)
    assert "**10,015** images · 7,470 lesions" in text
    assert "Not a medical device" in text
    assert {"draw_dataset", "download_start"} <= keys(app.button)
    [table] = app.dataframe
    assert len(table.value) == browse.PAGE_SIZE
    first = table.value.iloc[0]
    assert (first["Image"], first["Diagnosis"], first["Age"]) == (NEVUS, "Melanocytic nevus", 45)


def test_facts_of_the_training_part_ship_without_a_folder():
    frame = context.read_context().frame
    train = frame[frame["split"] == "train"]
    assert len(train) > 7000
    assert not (train[["sex", "localization", "dx_type"]] == NOT_GIVEN).any(axis=None)


def test_a_typed_folder_is_refused_where_the_server_allows_none(tmp_path):
    app = type_folder(write_dataset(tmp_path / "typed"))
    assert "DERMALENS_ROOT" in app.error[0].value.replace("\\", "")


def test_a_typed_folder_outside_the_allowed_one_is_refused(tmp_path, monkeypatch):
    (tmp_path / "allowed").mkdir()
    monkeypatch.setenv("DERMALENS_ROOT", str(tmp_path / "allowed"))
    app = type_folder(write_dataset(tmp_path / "elsewhere"))
    assert "lies outside" in app.error[0].value
    app = open_dataset(view="checks")
    app.text_input(key="checks_folder").input(str(tmp_path / "elsewhere"))
    assert "lies outside" in press(run(app), "run_checks").error[0].value


def test_pictures_that_links_lead_to_outside_of_the_root_are_not_shown(tmp_path, monkeypatch):
    folder = write_dataset(tmp_path / "allowed" / "typed")
    monkeypatch.setenv("DERMALENS_ROOT", str(tmp_path / "allowed"))
    picture = folder / "HAM10000_images_part_1" / f"{NEVUS}.jpg"
    picture.rename(tmp_path / "secret.jpg")
    picture.symlink_to(tmp_path / "secret.jpg")
    app = open_dataset()
    app.text_input(key="dataset_folder").input("typed")
    run(app)
    assert [bool(item["src"]) for item in pictures(app)] == [row[1] != NEVUS for row in ROWS]


def test_a_wrong_folder_is_named_and_what_ships_is_still_shown(tmp_path, monkeypatch):
    monkeypatch.setenv("DERMALENS_ROOT", str(tmp_path))
    app = type_folder(tmp_path / "nowhere")
    [error] = app.error
    assert "nowhere" in error.value and "no folder" in error.value
    assert "10,015" in read_text(app)


def test_a_folder_that_is_typed_shows_its_pictures(tmp_path, monkeypatch):
    monkeypatch.setenv("DERMALENS_ROOT", str(tmp_path))
    app = type_folder(write_dataset(tmp_path / "typed"))
    assert shown(app) == [row[1] for row in ROWS]
    assert all(item["src"].startswith("data:image/jpeg;base64,") for item in pictures(app))
    assert "**5** images · 3 lesions" in read_text(app)


def test_a_typed_folder_is_kept_when_another_page_was_looked_at(tmp_path, monkeypatch):
    monkeypatch.setenv("DERMALENS_ROOT", str(tmp_path))
    app = type_folder(write_dataset(tmp_path / "typed"))
    visit(visit(app, "pages/about.py"), DATASET)
    assert len(shown(app)) == 5


# --- filters


def test_choosing_an_option_filters_writes_the_address_and_shows_a_chip(drawn):
    app = open_dataset()
    app.checkbox(key="facet_class_mel").check()
    run(app)
    assert shown(app) == [TRAINED, MELANOMA, TRAINED_TOO, SAME_MELANOMA]
    assert app.query_params["class"] == "mel"
    assert "**4** of 5 images · 2 lesions" in read_text(app)
    press(app, "chip_class_mel")
    assert len(shown(app)) == 5
    assert "class" not in app.query_params


def test_counts_follow_the_other_filters(drawn):
    app = open_dataset(split="train")
    assert label(app, "class", "mel") == "Melanoma (2)"
    assert label(app, "split", "test") == "test (3)"
    assert app.checkbox(key="facet_class_nv").disabled  # no nevus in the train split


def test_a_link_reopens_filters_order_page_and_outline(drawn, monkeypatch):
    monkeypatch.setattr(browse, "PAGE_SIZE", 2)
    app = open_dataset(**{"class": "mel", "age": "50-60", "sort": "-age", "page": "2", "outline": "on"})
    # Aged 60, 55 and 55; the second page of two holds the last.
    assert shown(app) == [SAME_MELANOMA]
    assert app.checkbox(key="facet_class_mel").value
    assert app.slider(key="facet_age").value == (50, 60)
    assert app.selectbox(key="browse_order").value == "-age"
    assert app.toggle(key="browse_outline").value
    assert {"chip_class_mel", "chip_age", "clear_filters"} <= keys(app.button)


def test_what_an_address_asks_in_vain_counts_as_not_asked(drawn):
    app = open_dataset(**{"class": "xyz", "age": "old", "sort": "?", "page": "99", "view": "nothing"})
    assert len(shown(app)) == 5
    assert not app.error


def test_filters_are_kept_when_another_page_was_looked_at(drawn):
    app = open_dataset()
    app.checkbox(key="facet_class_nv").check()
    run(app)
    visit(app, "pages/about.py")
    app.query_params.clear()  # a page's link carries no query
    visit(app, DATASET)
    assert shown(app) == [NEVUS]


def test_clear_all_removes_every_filter(drawn):
    app = press(open_dataset(**{"class": "mel", "q": "HAM_0003350", "age": "0-70"}), "clear_filters")
    assert len(shown(app)) == 5
    assert not {"class", "q", "age"} & set(app.query_params)


def test_search_finds_a_lesion(drawn):
    app = open_dataset()
    app.text_input(key="facet_search").input(" ham_0003350 ")
    run(app)
    assert shown(app) == [TRAINED, TRAINED_TOO]


def test_an_age_range_is_a_filter_and_the_whole_range_is_none(drawn):
    app = open_dataset()
    app.slider(key="facet_age").set_range(50, 55)
    run(app)
    assert shown(app) == [MELANOMA, SAME_MELANOMA]
    app.slider(key="facet_age").set_range(0, 90)
    run(app)
    assert len(shown(app)) == 5  # with the image whose age is not known


def test_filters_that_nothing_matches_say_what_to_do(drawn):
    app = open_dataset(q="ISIC_9")
    assert "No image matches" in read_text(app)
    assert "No image matches" in read_text(open_dataset(q="ISIC_9", view="charts"))


def test_the_outline_changes_the_pictures(drawn):
    app = open_dataset()
    plain = pictures(app)[0]["src"]
    app.toggle(key="browse_outline").set_value(True)
    run(app)
    assert pictures(app)[0]["src"] != plain


def test_cards_tell_patient_and_answer(drawn):
    items = {item["id"]: item for item in pictures(open_dataset())}
    assert items[NEVUS]["title"] == "Melanocytic nevus"
    shipped = pd.read_csv(RUNS_DIR / "ham10000" / "test_predictions.csv", index_col="image_id").loc[NEVUS]
    assert items[NEVUS]["lines"] == ["45, male, trunk", f"✓ nv {shipped['p_nv']:.0%}"]
    assert items[TRAINED]["lines"] == ["60, male, chest", "train split"]


def test_csv_holds_the_rows_and_no_paths_or_formulas(drawn):
    frame = pd.DataFrame({"image_id": ["=1+1", "b"], "image_path": "/x", "mask_path": "/y", "age": [-1.5, 2]})
    assert browse.build_csv(frame, np.array([0])) == "image_id,age\n'=1+1,-1.5\n"


# --- cases


def test_a_case_shows_facts_prediction_and_the_lesions_other_image(drawn):
    app = open_dataset(case=MELANOMA)
    html = "\n".join(element.value for element in app.get("html"))
    assert "Melanoma" in html and "predicted" in html
    assert shown(app, "lesion_grid") == [SAME_MELANOMA]
    assert "3 of 5" in read_text(app)


def test_stepping_goes_through_what_the_filters_left(drawn):
    app = press(open_dataset(**{"case": TRAINED, "class": "mel"}), "case_right")
    assert app.query_params["case"] == MELANOMA
    assert "2 of 4" in read_text(app)
    assert app.button(key="case_left").disabled is False
    app = press(app, "case_back")
    assert "case" not in app.query_params
    assert len(shown(app)) == 4


def test_the_first_case_has_none_before_it(drawn):
    app = open_dataset(case=NEVUS)
    assert app.button(key="case_left").disabled
    assert not app.button(key="case_right").disabled


def test_an_unknown_case_says_so_and_leads_back(drawn):
    app = open_dataset(case="ISIC_<b>")
    assert "There is no image" in read_text(app)
    assert len(shown(press(app, "case_back"))) == 5


def test_a_training_image_has_facts_and_gets_an_answer_only_when_asked(drawn, fake_networks):
    app = open_dataset(case=TRAINED)
    assert "No prediction is stored" in read_text(app)
    assert "HAM\\_0003350" in app.table[0].value.to_string()
    assert fake_networks() == 0
    press(app, "dataset_case_analyse")
    assert fake_networks() == 1
    assert "predicted" in "\n".join(element.value for element in app.get("html"))


def test_similar_cases_are_other_lesions_nearest_first(drawn, run_dir):
    app = open_dataset(case=NEVUS)
    assert shown(app, "similar_grid") == [TRAINED, MELANOMA, TRAINED_TOO, SAME_MELANOMA]
    # 10 degrees apart: 1 - cos(10 deg) = 0.015.
    assert pictures(app, "similar_grid")[0]["lines"][-1] == "distance 0.015"
    assert TRAINED_TOO not in shown(open_dataset(case=TRAINED), "similar_grid")


def test_without_an_index_the_command_is_named(drawn, monkeypatch, tmp_path):
    monkeypatch.setattr(context, "RUN_DIR", tmp_path / "none")
    assert "dermalens train features" in read_text(open_dataset(case=NEVUS))


def test_a_case_without_its_picture_says_how_to_get_it():
    app = open_dataset(case=MELANOMA)
    assert "No pictures yet" in read_text(app)
    assert shown(app, "lesion_grid") == [SAME_MELANOMA]
    assert pictures(app, "lesion_grid")[0]["src"] is None


# --- charts


def test_charts_count_the_rows_and_carry_what_a_click_filters_by(drawn):
    app = open_dataset(view="charts")
    [bars] = chart(app, "chart_classes")["data"]
    assert bars["customdata"] == [["class", "mel"], ["class", "nv"]]
    assert bars["text"] == ["4", "1"]
    cells = chart(app, "chart_ages")["data"][1]
    assert ["class", "mel", "age", "50-59"] in cells["customdata"]
    lesions = chart(app, "chart_lesions")["data"][0]
    assert lesions["customdata"] == [["images", "1"], ["images", "2"]]
    assert lesions["text"] == ["1", "2"]  # one lesion with one image, two with two
    assert "Melanoma 4; Melanocytic nevus 1" in app.get_by_key("chart_classes").proto.alt


def test_charts_follow_the_filters(drawn):
    app = open_dataset(view="charts", split="train")
    assert chart(app, "chart_classes")["data"][0]["text"] == ["2"]
    assert "The lesion is measured for" in read_text(app)  # nothing was predicted on the train split


def test_charts_of_what_ships_leave_out_unknown_sites():
    app = open_dataset(view="charts")
    assert "10,015 images whose site is given" in read_text(app)
    sites = chart(app, "chart_sites")["layout"]["yaxis"]["ticktext"]
    assert "not given" not in sites and "back" in sites


# --- map


def test_without_a_map_the_command_is_named(monkeypatch, tmp_path):
    monkeypatch.setattr(feature_map, "RUN_DIR", tmp_path)
    assert "dermalens train features" in read_text(open_dataset(view="map"))


def test_the_map_shows_matching_images_in_their_classes_and_the_others_in_grey(drawn, run_dir):
    data = chart(open_dataset(view="map", split="test"), "feature_map")["data"]
    assert [trace.get("name") for trace in data] == [None, "Melanoma", "Melanocytic nevus"]
    assert data[0]["hoverinfo"] == "skip"
    assert data[1]["customdata"] == [MELANOMA, SAME_MELANOMA]


def test_a_number_shades_the_map_and_leaves_out_who_has_none(drawn, run_dir):
    app = open_dataset(view="map")
    app.selectbox(key="map_colour").select("age")
    [trace] = chart(run(app), "feature_map")["data"]
    assert len(trace["customdata"]) == 4  # one age is not known
    assert trace["marker"]["showscale"]


def test_what_the_lasso_holds_is_shown_until_cleared(drawn, run_dir):
    app = open_dataset(view="map")
    app.session_state["map_picked"] = (1, [MELANOMA, NEVUS, "not in this dataset"])
    run(app)
    assert "**2** images inside the lasso" in read_text(app)
    assert shown(app, "map_grid") == [MELANOMA, NEVUS]
    press(app, "clear_lasso")
    assert "inside the lasso" not in read_text(app)


# --- checks


def test_checks_name_what_is_wrong_with_a_folder(drawn):
    (drawn / MASKS / f"{NEVUS}_segmentation.png").unlink()
    (drawn / "HAM10000_images_part_1" / f"{MELANOMA}.jpg").write_bytes(b"broken")
    app = press(open_dataset(view="checks"), "run_checks")
    assert "5 images of 3 lesions" in read_text(app)
    found = {box.label for box in app.expander}
    assert {"Images without an expert mask: 1", "Image files that cannot be read: 1"} <= found
    assert ":material/check: Rows without a known diagnosis: none" in read_text(app)
    tables = "\n".join(table.value.to_string() for table in app.dataframe)
    assert NEVUS in tables and MELANOMA in tables


def test_a_folder_that_cannot_be_checked_says_why(tmp_path, monkeypatch):
    monkeypatch.setenv("DERMALENS_ROOT", str(tmp_path))
    app = open_dataset(view="checks")
    assert app.button(key="run_checks").disabled
    app.text_input(key="checks_folder").input(str(tmp_path))
    run(app)
    press(app, "run_checks")
    [error] = app.error
    assert "No dataset is recognised" in error.value
