"""The feature index and the map: neighbours on a circle, and what is refused."""

import numpy as np
import pytest

from core.datasets.similar import FeatureIndex, FeatureIndexError, read_map

# On the unit circle at these angles, the cosine distance of two is 1 - cos(difference).
ANGLES = {"a": 0, "b": 10, "c": 40, "d": 90, "e": 180}
LESIONS = ("one", "one", "two", "three", "four")


def make_index(**changes) -> FeatureIndex:
    radians = np.radians(list(ANGLES.values()))
    parts = {
        "fingerprint": "abc123",
        "image_ids": np.array(list(ANGLES)),
        "lesion_ids": np.array(LESIONS),
        "features": np.stack([np.cos(radians), np.sin(radians)], axis=1).astype(np.float32),
    }
    return FeatureIndex(**parts | changes)


def save(folder, index: FeatureIndex) -> None:
    np.savez(folder / "features.npz", **{name: getattr(index, name) for name in vars(index)})


def test_nearest_first_by_cosine_distance():
    found = make_index().similar("a", n=3, exclude_same_lesion=False)
    assert [image_id for image_id, _ in found] == ["b", "c", "d"]
    expected = [1 - np.cos(np.radians(angle)) for angle in (10, 40, 90)]
    np.testing.assert_allclose([distance for _, distance in found], expected, atol=1e-6)


def test_other_photographs_of_the_same_lesion_can_be_left_out():
    assert [image_id for image_id, _ in make_index().similar("a", n=2)] == ["c", "d"]


def test_asking_for_more_than_there_is_gives_all_others():
    assert len(make_index().similar("c", n=100)) == 4


def test_an_identical_twin_is_found_and_the_image_itself_never():
    features = make_index().features.copy()
    features[2] = features[0]
    found = make_index(features=features).similar("a", n=1)
    assert found[0][0] == "c" and abs(found[0][1]) < 1e-6


def test_membership_and_unknown_images():
    index = make_index()
    assert "a" in index and "z" not in index and len(index) == 5
    with pytest.raises(KeyError):
        index.similar("z")


def test_a_saved_index_is_read_back(tmp_path):
    index = make_index(features=make_index().features.astype(np.float16))
    save(tmp_path, index)
    loaded = FeatureIndex.load(tmp_path)
    assert loaded.fingerprint == "abc123" and loaded.features.dtype == np.float32
    assert [i for i, _ in loaded.similar("a", n=2)] == ["c", "d"]


def test_a_missing_index_names_the_command(tmp_path):
    with pytest.raises(FeatureIndexError, match=r"dermalens train features --data DIR"):
        FeatureIndex.load(tmp_path)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 cut short", b"no archive at all"])
def test_a_damaged_index_is_refused(tmp_path, content):
    (tmp_path / "features.npz").write_bytes(content)
    with pytest.raises(FeatureIndexError, match="no feature index"):
        FeatureIndex.load(tmp_path)


def test_pickled_objects_are_never_loaded(tmp_path):
    save(tmp_path, make_index(image_ids=np.array(list(ANGLES), dtype=object)))
    with pytest.raises(FeatureIndexError, match="no feature index"):
        FeatureIndex.load(tmp_path)


def test_parts_of_different_lengths_are_refused():
    with pytest.raises(FeatureIndexError, match="4 images, 5 lesions"):
        make_index(image_ids=np.array(list("abcd")))


def test_the_map_comes_with_the_fingerprint_of_its_bundle(tmp_path):
    (tmp_path / "map.csv").write_text(
        "# bundle ham10000 version 1, fingerprint 1a2b\nimage_id,x,y\nISIC_1,0.5,-2\n"
    )
    found = read_map(tmp_path)
    assert found.fingerprint == "1a2b"
    assert found.frame.to_dict("records") == [{"image_id": "ISIC_1", "x": 0.5, "y": -2}]


@pytest.mark.parametrize(
    "data",
    [
        b"image_id,x,y\nISIC_1,0,0\n",
        b"# fingerprint 1a\nimage_id,x\nISIC_1,0\n",
        b"",
        b"# fingerprint 1a\n",
        b"\xff",
    ],
)
def test_a_map_without_fingerprint_or_columns_is_refused(tmp_path, data):
    (tmp_path / "map.csv").write_bytes(data)
    with pytest.raises(FeatureIndexError, match="no feature map"):
        read_map(tmp_path)


def test_a_missing_map_names_the_command(tmp_path):
    with pytest.raises(FeatureIndexError, match=r"No map\.csv .* dermalens train features"):
        read_map(tmp_path)
