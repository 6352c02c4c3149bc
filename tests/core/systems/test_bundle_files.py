"""A bundle's folder is compared with what its manifest states."""

import pytest
from typer.testing import CliRunner

from core.cli import app
from core.systems.bundle_files import check_bundle
from tests.fakes import write_bundle


@pytest.fixture
def folder(tmp_path):
    return write_bundle(tmp_path / "bundle")


def faults(folder) -> dict[str, str]:
    return {item.name: item.fault for item in check_bundle(folder) if item.fault}


def verify(folder):
    return CliRunner().invoke(app, ["bundle", "verify", str(folder)])


def test_a_whole_bundle_has_no_fault_and_a_line_an_item(folder):
    assert faults(folder) == {}
    result = verify(folder)
    # Manifest, classes and two networks.
    assert result.exit_code == 0 and [line[:2] for line in result.stdout.splitlines()] == ["ok"] * 4


def test_a_changed_and_a_missing_file_are_named_with_exit_status_2(folder):
    (folder / "segmenter.weights.h5").write_bytes(b"other")
    (folder / "classifier.weights.h5").unlink()
    assert faults(folder).keys() == {"segmenter.weights.h5", "classifier.weights.h5"}
    result = verify(folder)
    assert result.exit_code == 2 and "FAULT classifier.weights.h5: missing" in result.stdout


def test_an_unknown_class_is_a_fault(tmp_path):
    folder = write_bundle(tmp_path / "odd", classes=("mel", "wart"))
    assert faults(folder)["classes"].endswith("wart")


def test_a_manifest_that_cannot_be_read_is_the_only_item(folder):
    (folder / "manifest.json").write_text("{")
    assert faults(folder).keys() == {"manifest.json"} and verify(folder).exit_code == 2


def test_weights_shared_with_a_sibling_are_found_there(folder):
    shared = write_bundle(folder.parent / "other").joinpath("classifier.weights.h5")
    text = (folder / "manifest.json").read_text()
    (folder / "manifest.json").write_text(
        text.replace('"classifier.weights.h5"', '"../other/classifier.weights.h5"')
    )
    (folder / "classifier.weights.h5").unlink()
    assert faults(folder) == {}
    shared.unlink()
    assert faults(folder).keys() == {"../other/classifier.weights.h5"}
