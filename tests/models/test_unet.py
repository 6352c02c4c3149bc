"""The U-Net as built: widths, dropout, up-sampling, options and refusals."""

import keras
import numpy as np
import pytest

from models.unet import ENCODER_STAGES, build_unet

IMAGES = np.random.default_rng(0).integers(0, 256, (2, 64, 64, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def classic() -> keras.Model:
    return build_unet(input_size_px=64)


def widths(model: keras.Model, stem: str, n_levels: int) -> list[int]:
    return [model.get_layer(f"{stem}{level}_conv2").filters for level in range(n_levels)]


def layers_of(model: keras.Model, kind: type) -> list[keras.Layer]:
    return [layer for layer in model.layers if isinstance(layer, kind)]


def test_the_classic_encoder_doubles_from_16_to_256(classic):
    assert widths(classic, "encoder", 5) == [16, 32, 64, 128, 256]
    assert widths(classic, "decoder", 4) == [16, 32, 64, 128]


def test_64_filters_and_three_levels_give_64_to_512():
    assert widths(build_unet(64, depth=3, input_size_px=64), "encoder", 4) == [64, 128, 256, 512]


def test_output_is_a_probability_for_each_pixel(classic):
    answer = classic(IMAGES).numpy()
    assert answer.shape == (2, 64, 64, 1) and answer.dtype == np.float32
    assert answer.min() >= 0 and answer.max() <= 1 and np.ptp(answer) > 0


def test_scaling_belongs_to_the_network(classic):
    rescaling = classic.layers[1]
    assert isinstance(rescaling, keras.layers.Rescaling) and rescaling.scale == pytest.approx(1 / 255)
    np.testing.assert_allclose(classic(IMAGES), classic(IMAGES.astype(np.float32)), atol=1e-6)


def test_dropout_rises_evenly_from_the_finest_to_the_coarsest_level(classic):
    # 0.1 to 0.3 over four steps of 0.05; the decoder mirrors the encoder.
    rates = [classic.get_layer(f"encoder{level}_dropout").rate for level in range(5)]
    assert rates == pytest.approx([0.1, 0.15, 0.2, 0.25, 0.3])
    assert [classic.get_layer(f"decoder{level}_dropout").rate for level in range(4)] == rates[:4]


def test_dropout_can_be_switched_off():
    model = build_unet(4, depth=2, input_size_px=64, dropout=(0.0, 0.0))
    assert not layers_of(model, keras.layers.Dropout)


def test_the_decoder_doubles_with_transposed_convolutions(classic):
    ups = layers_of(classic, keras.layers.Conv2DTranspose)
    assert [up.strides for up in ups] == [(2, 2)] * 4
    assert [up.output.shape[1] for up in ups] == [8, 16, 32, 64]


def test_convolutions_start_from_he_normal_and_pad_to_keep_the_size(classic):
    for layer in layers_of(classic, keras.layers.Conv2D):
        if "_conv" in layer.name:
            assert isinstance(layer.kernel_initializer, keras.initializers.HeNormal), layer.name
            assert layer.padding == "same" and layer.kernel_size == (3, 3)


def test_skips_join_encoder_and_decoder_at_each_resolution(classic):
    for level in range(4):
        up, skip = classic.get_layer(f"join{level}").input
        assert up.shape[1:3] == skip.shape[1:3] == (64 // 2**level, 64 // 2**level)
        assert skip.shape[-1] == 16 * 2**level


@pytest.mark.parametrize("options", [{"attention_gates": True}, {"multi_scale_fusion": True}])
def test_options_add_layers_and_keep_the_answers_shape(options):
    plain = build_unet(4, depth=2, input_size_px=64)
    model = build_unet(4, depth=2, input_size_px=64, **options)
    assert model.count_params() > plain.count_params()
    assert model(IMAGES).shape == (2, 64, 64, 1)
    names = " ".join(layer.name for layer in model.layers)
    assert ("gate0_weight" in names) is ("attention_gates" in options)
    assert ("fuse1_join" in names) is ("multi_scale_fusion" in options)


def test_batch_normalisation_follows_each_convolution_of_our_own_and_replaces_its_bias():
    model = build_unet(4, depth=2, input_size_px=64, batch_norm=True)
    own = [layer for layer in layers_of(model, keras.layers.Conv2D) if "_conv" in layer.name]
    assert len(layers_of(model, keras.layers.BatchNormalization)) == len(own) == 10
    assert not any(layer.use_bias for layer in own)


@pytest.mark.slow
@pytest.mark.parametrize("encoder", sorted(ENCODER_STAGES))
def test_a_pretrained_encoder_gives_skips_from_half_to_a_thirtysecond(encoder):
    model = build_unet(4, input_size_px=64, encoder=encoder, attention_gates=True, multi_scale_fusion=True)
    sizes = [model.get_layer(name).output.shape[1] for name in ENCODER_STAGES[encoder]]
    assert sizes == [32, 16, 8, 4, 2]
    assert not layers_of(model, keras.Model)  # flat
    assert model(IMAGES[:1]).shape == (1, 64, 64, 1)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"input_size_px": 100}, "divisible by 16 .depth 4.; got 100"),
        ({"input_size_px": 80, "encoder": "efficientnetv2b0"}, "divisible by 32 .depth 5.; got 80"),
        ({"input_size_px": 60, "depth": 3}, "divisible by 8"),
        ({"encoder": "resnet"}, "None or one of efficientnetv2b0, efficientnetb0; got 'resnet'"),
    ],
)
def test_sizes_and_encoders_that_cannot_be_built_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        build_unet(**arguments)
