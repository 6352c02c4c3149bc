"""The benchmark of training makes its batches as training does."""

from tests.bench.training import TRAINED_CONFIG, draw_batches
from training.fit.engine import load_config


def test_the_benchmark_draws_batches_of_every_class():
    config = load_config(TRAINED_CONFIG)
    images, targets = draw_batches(config)[0]
    side = config.model["input_size_px"]
    assert images.shape == (config.batch_size, side, side, 3)
    assert targets.shape == (config.batch_size, config.n_classes) and (targets.sum(axis=0) > 0).all()
