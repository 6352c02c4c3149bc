"""A compiled network that is kept is read back whole, or compiled again."""

import numpy as np
import pytest

from models.baselines import build_plain_cnn
from models.runtimes.cache import cache_file, cached_arrays, read_cached, write_cached
from models.runtimes.graph import read_weights
from models.runtimes.openvino import OpenVinoNetwork
from training.bundle.graph import make_graph


@pytest.fixture
def load(tmp_path):
    """Load one network under an origin; the second argument is called when its weights are read."""
    model = build_plain_cnn(input_size_px=32, filters=(2,), hidden=3)
    model.save_weights(tmp_path / "it.weights.h5")
    graph = make_graph(model).part("logits")

    def load(origin: str, note=lambda: None) -> OpenVinoNetwork:
        def read():
            note()
            return read_weights(tmp_path / "it.weights.h5", graph)

        return OpenVinoNetwork(graph, read, "uint8", (origin,))

    return load


BATCH = np.random.default_rng(0).integers(0, 256, (2, 32, 32, 3), dtype=np.uint8)


def test_the_second_start_needs_no_weights_and_answers_the_same_bits(load):
    first = load("a")(BATCH)
    second = load("a", lambda: pytest.fail("read the weights"))(BATCH)
    np.testing.assert_array_equal(first, second)


def test_another_origin_is_compiled_for_itself(load):
    load("a")
    calls = []
    load("b", lambda: calls.append(1))
    assert calls


@pytest.mark.parametrize(
    "spoil", [lambda data: data[:-1], lambda data: b"", lambda data: data[:-9] + b"x" + data[-8:]]
)
def test_a_damaged_file_is_compiled_again(load, cache_folder, spoil):
    expected = load("a")(BATCH)
    [kept] = cache_folder.glob("*.blob")
    kept.write_bytes(spoil(kept.read_bytes()))
    calls = []
    np.testing.assert_array_equal(load("a", lambda: calls.append(1))(BATCH), expected)
    assert calls


def test_a_folder_that_cannot_be_made_is_no_error(load, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("DERMALENS_CACHE", str(tmp_path / "file" / "below"))
    assert load("a")(BATCH).shape == (2, 7)


def test_what_is_kept_comes_back(cache_folder):
    path = cache_file("one", 2)
    assert read_cached(path) is None
    write_cached(path, b"content")
    assert read_cached(path).tobytes() == b"content" and list(cache_folder.iterdir()) == [path]


def test_arrays_are_loaded_once_and_come_back_the_same():
    given = {"a/b": np.arange(6, dtype=np.float32).reshape(2, 3)}
    path = cache_file("arrays")
    assert cached_arrays(path, lambda: given) is given
    again = cached_arrays(path, lambda: pytest.fail("loaded twice"))
    assert again.keys() == given.keys()
    np.testing.assert_array_equal(again["a/b"], given["a/b"])
