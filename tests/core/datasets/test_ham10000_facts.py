"""The facts of HAM10000 that ship: complete, and written from its metadata."""

import pytest

from core.datasets.files import DatasetError
from core.datasets.ham10000_facts import read_facts, write_facts
from core.datasets.splits import read_splits

METADATA = """lesion_id,image_id,dx,dx_type,age,sex,localization
l2,b,nv,histo,,unknown,back
l1,a,mel,histo,45.0,male,trunk
"""


def test_facts_of_every_image_of_the_split_ship():
    facts = read_facts()
    assert set(facts["image_id"]) == set(read_splits()["image_id"])
    assert facts["sex"].notna().all() and facts["age"].notna().mean() > 0.99


def test_facts_are_written_from_the_metadata_the_same_each_time(tmp_path):
    metadata, path = tmp_path / "HAM10000_metadata.csv", tmp_path / "facts.csv.gz"
    metadata.write_text(METADATA)
    assert write_facts(metadata, path) == 2
    facts, written = read_facts(path), path.read_bytes()
    assert facts["image_id"].tolist() == ["a", "b"]
    assert facts["age"].fillna(-1).tolist() == [45, -1] and facts["sex"].tolist() == ["male", "unknown"]
    write_facts(metadata, path)
    assert path.read_bytes() == written


def test_metadata_without_a_column_is_refused(tmp_path):
    (tmp_path / "metadata.csv").write_text("image_id,dx\na,nv\n")
    with pytest.raises(DatasetError, match="lesion_id"):
        write_facts(tmp_path / "metadata.csv", tmp_path / "facts.csv.gz")
