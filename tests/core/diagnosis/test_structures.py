"""The probe of dermoscopic structures: what it answers, which of them a bundle reports, and files that are no probe."""

from dataclasses import replace

import numpy as np
import pytest

from core.analyzer import Analyzer
from core.diagnosis.structures import StructureProbe, load_structures
from core.phantoms.lesions import draw_phantom
from core.report import analysis_row, rows_to_csv
from models.manifest import BundleError, StructuresEntry, file_sha256
from tests.fakes import CHANNELS, fake_bundle

NAMES = ("globules", "streaks")


@pytest.fixture
def probe() -> StructureProbe:
    return StructureProbe(NAMES, np.float32([[1, 0], [0, -1]]), np.float32([0, 1]))


def with_probe(folder, **lows) -> StructuresEntry:
    """The manifest entry of a probe in a folder, each structure with the lower limit of its AUC."""
    path = folder / "structures.npz"
    StructureProbe(NAMES, np.ones((2, CHANNELS), np.float32), np.float32([-1, -2])).save(path)
    auc = {name: {"estimate": 0.9, "low": low, "high": 1.0} for name, low in lows.items()}
    return StructuresEntry(path.name, file_sha256(path), auc, "drawn")


def test_probabilities_are_those_of_a_logistic_regression(probe):
    # 1 / (1 + exp(-2)) for the first, whose bias is 0; 1 / (1 + exp(-(1 - 3))) for the second.
    found = probe.predict(np.array([[2.0, 3.0]]))
    np.testing.assert_allclose(found, [[0.880797, 0.119203]], atol=1e-6)


def test_a_probe_of_other_shapes_is_refused():
    with pytest.raises(ValueError, match=r"must be \(2, C\)"):
        StructureProbe(NAMES, np.zeros((3, 4)), np.zeros(2))


def test_only_structures_that_were_tested_well_are_reported(tmp_path):
    manifest = replace(
        fake_bundle().manifest, folder=tmp_path, structures=with_probe(tmp_path, globules=0.71)
    )
    assert load_structures(manifest).names == ("globules",)
    none = replace(manifest, structures=with_probe(tmp_path, globules=0.70, streaks=None))
    assert load_structures(none).names == ()


def test_a_changed_probe_is_refused(tmp_path):
    entry = with_probe(tmp_path, globules=0.8)
    (tmp_path / entry.file).write_bytes(b"no probe")
    manifest = replace(fake_bundle().manifest, folder=tmp_path, structures=entry)
    with pytest.raises(BundleError, match=r"structures\.npz"):
        load_structures(manifest)


def test_an_analysis_and_its_row_carry_what_the_bundle_reports(tmp_path):
    bundle = fake_bundle()
    entry = with_probe(tmp_path, globules=0.8, streaks=0.9)
    manifest = replace(bundle.manifest, folder=tmp_path, structures=entry)
    analyzer = Analyzer(replace(bundle, manifest=manifest))
    analysis = analyzer.analyze(draw_phantom(1, size_px=(96, 128)).image)
    assert analyzer.explain_structure(analysis, "streaks").shape == (96, 128)
    assert list(analysis.structures) == ["globules", "streaks"]
    assert all(0 < p < 1 for p in analysis.structures.values())
    row = analysis_row(analysis)
    assert row["structure_globules"] == pytest.approx(analysis.structures["globules"], abs=1e-6)
    header = rows_to_csv([row], manifest.classes).splitlines()[0]
    assert header.endswith("balanced_prediction,structure_globules,structure_streaks")


def test_a_bundle_without_a_probe_reports_none():
    analysis = Analyzer(fake_bundle()).analyze(draw_phantom(1, size_px=(96, 128)).image)
    assert analysis.structures is None
    with pytest.raises(ValueError, match="no probe"):
        Analyzer(fake_bundle()).explain_structure(analysis, "streaks")
    assert not any(name.startswith("structure_") for name in analysis_row(analysis))
