"""The record of what a run was made with."""

import tensorflow as tf

from training.fit.environment import describe_environment


def test_without_an_accelerator_none_is_named(monkeypatch):
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: [])
    assert describe_environment()["accelerator"] == ""


def test_the_first_accelerator_is_named_as_it_calls_itself(monkeypatch):
    names = {"GPU:0": "A card", "GPU:1": "Another card"}
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: list(names))
    monkeypatch.setattr(tf.config.experimental, "get_device_details", lambda gpu: {"device_name": names[gpu]})
    assert describe_environment()["accelerator"] == "A card"


def test_an_accelerator_that_names_itself_nothing_does_not_end_a_run(monkeypatch):
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: ["GPU:0"])
    monkeypatch.setattr(tf.config.experimental, "get_device_details", lambda gpu: {})
    assert describe_environment()["accelerator"] == ""
