"""Learn: inside the network, heatmaps under test, systems side by side, the checklist."""

import dataclasses

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from core.phantoms.criteria import draw_criteria
from models.runtimes.head_parts import Member
from pages.components.learn import attention, checklist, heatmaps
from tests.fakes import CELLS, CHANNELS, fake_bundle
from tests.pages.driver import TRAINING, read_text, run, upload, visit

IMAGE = "Round, mole-like"


def open_topic(app: AppTest, topic: str) -> AppTest:
    app.query_params["training_view"] = "Learn"
    app.query_params["learn"] = topic
    app.query_params["learn_image"] = IMAGE
    return visit(app, TRAINING)


def analyse(app: AppTest) -> AppTest:
    app.button(key="run_steps").click()
    return run(app)


def captions(app: AppTest) -> list[str]:
    return [picture.caption for image in app.get("image") for picture in image.proto.imgs]


def two_members(features: np.ndarray) -> tuple[Member, ...]:
    """One is sure of the first class, the other of the second."""
    half, n = CHANNELS // 2, len(features)
    spatial = np.full((n, CELLS, CELLS), 0.5, np.float32)
    spatial[:, 0, 0] = 1.0
    channel = np.tile(np.linspace(0, 1, half, dtype=np.float32), (n, 1))
    logits = np.zeros((2, n, 7))
    logits[0, :, 0] = logits[1, :, 1] = 20
    parts = slice(0, half), slice(half, 2 * half)
    return tuple(Member(0.5, part, own, channel, spatial) for part, own in zip(parts, logits, strict=True))


@pytest.fixture
def members(monkeypatch) -> None:
    monkeypatch.setattr(attention, "read_members", lambda manifest, features: two_members(features))


def test_an_image_added_on_diagnose_can_be_looked_at_by_number(app: AppTest, phantom_png):
    upload(app, ("Jane Doe.png", phantom_png))
    open_topic(app, "Members")
    box = app.selectbox(key="learn_image")
    assert not any("Jane" in option for option in box.options)
    box.set_value("Your image 1")
    run(app)
    assert "Jane Doe.png" in captions(app)


@pytest.mark.parametrize("topic", ["Attention", "Members", "Heatmaps", "Side by side"])
def test_nothing_is_loaded_before_it_is_asked_for(app: AppTest, fake_networks, topic):
    open_topic(app, topic)
    assert fake_networks() == 0 and app.button(key="run_steps")


def test_an_analysis_made_in_one_topic_serves_the_others(app: AppTest, members, fake_networks):
    analyse(open_topic(app, "Attention"))
    app.get_by_key("learn").set_value("Members")
    run(app)
    assert fake_networks() == 1 and app.get_by_key("learn_members")


def test_attention_shows_where_and_which_channels_of_each_member(app: AppTest, members):
    analyse(open_topic(app, "Attention"))
    shown = captions(app)
    assert sum(caption.startswith("Where: dark 0.5") for caption in shown) == 2
    assert sum(caption.startswith("Channel") for caption in shown) == 6
    # Weights 0, 0.5 and 1: two of three are at least half.
    assert "Member 2: 2 of 3 channels pass with at least half" in read_text(app)


def test_a_bundle_without_a_graph_file_says_that_it_cannot_show_its_inside(app: AppTest):
    analyse(open_topic(app, "Attention"))
    assert "has no graph file" in read_text(app)


def test_members_that_disagree_are_said_to(app: AppTest, members):
    analyse(open_topic(app, "Members"))
    text = read_text(app)
    assert "name different classes first: member 1 **Actinic" in text
    assert "100.0% of the probability would have to change class" in text
    assert len([caption for caption in captions(app) if caption.startswith("Member")]) == 2


def test_one_network_has_nothing_to_disagree_with(app: AppTest, monkeypatch):
    whole = Member(1.0, slice(0, CHANNELS), np.zeros((16, 7)), None, None)
    monkeypatch.setattr(attention, "read_members", lambda manifest, features: (whole,))
    analyse(open_topic(app, "Members"))
    assert "a single network" in read_text(app)
    app.get_by_key("learn").set_value("Attention")
    run(app)
    assert "no attention layers" in read_text(app)


def test_heatmaps_are_tested_on_request_and_kept(app: AppTest, monkeypatch):
    analyse(open_topic(app, "Heatmaps"))
    assert "passes" in read_text(app) and not app.get("image")
    app.button(key="check_heatmap").click()
    run(app)
    assert any(caption.startswith("Occlusion: bright is a fall by") for caption in captions(app))
    chart = app.get_by_key("learn_deletion")
    assert "Grad-CAM area" in chart.proto.alt and "random order" in read_text(app)
    monkeypatch.setattr(heatmaps, "check_heatmap", lambda *_: pytest.fail("measured twice"))
    app.button(key="check_heatmap").click()
    run(app)


def test_the_wait_for_a_busy_server_ends_with_a_message(app: AppTest, monkeypatch):
    analyse(open_topic(app, "Heatmaps"))

    def refuse(self, on_wait):
        raise heatmaps.waiting.QueueFullError("Too many wait.")

    # Of the class: undone on the one queue, it would stay there as an attribute of its own and hide later patches.
    monkeypatch.setattr(heatmaps.waiting.Queue, "turn", refuse)
    app.button(key="check_heatmap").click()
    run(app)
    assert "Too many wait" in read_text(app)


def test_each_system_keeps_its_own_threshold(app: AppTest, monkeypatch):
    bundle = fake_bundle()
    never = dataclasses.replace(
        bundle.manifest, folder=bundle.manifest.folder / "never", description="Classic"
    )
    never = dataclasses.replace(never, suspicious_threshold=1.0)
    always = dataclasses.replace(bundle.manifest, suspicious_threshold=1e-9)
    by_folder = {str(manifest.folder): manifest for manifest in (always, never)}
    monkeypatch.setattr(heatmaps.engine, "read_manifests", lambda: [always, never])
    monkeypatch.setattr(
        heatmaps.engine.loading,
        "load_bundle",
        lambda folder=None: dataclasses.replace(bundle, manifest=by_folder[folder]),
    )
    analyse(open_topic(app, "Side by side"))
    text = read_text(app)
    assert "All 2 systems that name a diagnosis name" in text and "in **1 of 2**" in text
    assert "**Classic**" in text and any("Dice 1.00 with the first" in caption for caption in captions(app))


def tick(app: AppTest, code: str) -> None:
    next(box for box in app.checkbox if box.key.endswith(f"_{code}")).check()


def test_the_checklist_adds_up_what_is_ticked(app: AppTest, fake_networks):
    open_topic(app, "Checklist")
    assert "**0 points**, below 3" in read_text(app)
    tick(app, "veil")
    tick(app, "streaks")
    run(app)
    assert "**3 points**, suspicious by the checklist" in read_text(app)
    assert fake_networks() == 0


def test_the_checklist_says_what_was_missed_and_what_was_not_there(app: AppTest, monkeypatch):
    monkeypatch.setattr(
        checklist, "_practice_picture", lambda number: (("veil",), draw_criteria(1, ["veil"]))
    )
    open_topic(app, "Checklist")
    tick(app, "network")
    app.toggle(key="seven_solution_1").set_value(True)
    run(app)
    text = read_text(app)
    assert "Drawn: **Blue-whitish veil**, 2 points" in text
    assert "Missed: Blue-whitish veil" in text and "Not there: Atypical pigment network" in text


def test_another_picture_begins_without_ticks(app: AppTest):
    open_topic(app, "Checklist")
    tick(app, "veil")
    run(app)
    app.number_input(key="checklist_number").set_value(2)
    run(app)
    assert not any(box.value for box in app.checkbox)
