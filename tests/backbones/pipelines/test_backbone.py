"""What a comparison needs of a pipeline: information, pictures both ways, previews, conditions, refusals."""

import numpy as np
import pytest
import torch

from gensot_demo.backbones.base import from_uint8
from gensot_demo.backbones.errors import BackboneUnavailable, UnknownCondition
from gensot_demo.backbones.network_oracle import OutOfMemory
from gensot_demo.backbones.pipelines.backbone import PipelineBackbone
from gensot_demo.backbones.pipelines.embeddings import PROMPTS_KEPT, Embeddings

LATENT = ["dit", "sd", "sdxl", "sd3", "flux"]
PROMPT = "a red dog"


@pytest.fixture
def photo():
    """Smooth pictures (2, 24, 24, 3)."""
    y, x = np.mgrid[:24, :24] / 23
    one = np.stack([x, y, 1 - x], -1)
    return (255 * np.stack([one, one[:, ::-1]])).round().astype(np.uint8)


@pytest.mark.parametrize(
    ("kind", "asks", "resolution", "dimension"),
    [
        ("ddpm", "nothing", 8, 192),
        ("dit", "classes", 16, 256),
        ("sd", "prompts", 16, 256),
        ("sdxl", "prompts", 16, 256),
        ("sd3", "prompts", 16, 256),
        ("flux", "prompts", 16, 256),
    ],
)
def test_information(tiny, kind, asks, resolution, dimension):
    backbone = tiny(kind)
    info = backbone.info
    assert (info.asks, info.resolution, backbone.dimension) == (asks, resolution, dimension)
    assert info.parameters == sum(p.numel() for p in backbone.oracle.denoiser.network.parameters()) > 10_000
    assert info.licence == "see the model's card"
    assert info.label == kind
    assert info.name.endswith(f"/{kind}")
    assert not info.exact
    assert backbone.oracle.dtype == torch.float32
    assert backbone.max_rows >= 1
    assert backbone.max_states >= 200


def test_ranges_of_noise(tiny):
    squares = tiny("sd").pipeline.scheduler.alphas_cumprod.double()
    sigma = ((1 - squares) / squares).sqrt()
    assert tiny("sd").sigma_range == pytest.approx((float(sigma[-1]), float(sigma[0])), rel=1e-6)
    assert tiny("sd3").sigma_range == pytest.approx((80.0, 0.001), rel=2e-3)
    assert tiny("ddim-v-zero").sigma_range[0] == 80.0


def test_pixels_go_both_ways_unchanged(tiny):
    backbone = tiny("ddpm")
    pictures = np.random.default_rng(0).integers(0, 256, (3, 8, 8, 3), dtype=np.uint8)
    states = backbone.encode(pictures)
    assert states.shape == (3, 192)
    assert torch.equal(states, from_uint8(pictures).flatten(1))
    assert np.array_equal(backbone.pictures(states), pictures)
    assert np.array_equal(backbone.previews(states), pictures)


def test_pictures_of_other_sizes_are_resized(tiny, photo):
    states = tiny("ddpm").encode(photo)
    assert states.shape == (2, 192)
    back = tiny("ddpm").pictures(states)
    assert np.abs(back[0].astype(int) - photo[0][1::3, 1::3].astype(int)).max() < 12
    assert np.abs(back[0, :, ::-1].astype(int) - back[1].astype(int)).max() <= 2


@pytest.mark.parametrize("kind", LATENT)
def test_latents_are_the_autoencoders_mean_in_the_pipelines_scale(tiny, photo, kind):
    backbone = tiny(kind)
    vae, enlarged = backbone.pipeline.vae, np.repeat(np.repeat(photo[:, ::3, ::3], 2, 1), 2, 2)
    with torch.no_grad():
        mean = vae.encode(from_uint8(enlarged)).latent_dist.mean
        shift = vae.config.shift_factor or 0.0
        expected = (mean - shift) * vae.config.scaling_factor
        states = backbone.encode(enlarged)
        assert torch.allclose(states, expected.flatten(1), atol=1e-5)
        decoded = vae.decode(expected / vae.config.scaling_factor + shift).sample
    pictures = ((decoded / 2 + 0.5).clamp(0, 1) * 255).round().permute(0, 2, 3, 1).numpy()
    assert np.abs(backbone.pictures(states).astype(int) - pictures.astype(int)).max() <= 1


def test_latents_with_a_mean_and_deviation_of_their_own(tiny, photo):
    from gensot_demo.backbones.pipelines.pixels import LatentCodec

    vae = tiny("sdxl").pipeline.vae
    plain = LatentCodec(vae, (4, 8, 8), 16)
    with pytest.MonkeyPatch.context() as patch:
        settings = dict(vae.config) | {"latents_mean": [0.1, 0.2, 0.3, 0.4], "latents_std": [1.0, 2.0, 3.0, 4.0]}
        patch.setattr(vae, "_internal_dict", type(vae.config)(settings))
        scaled = LatentCodec(vae, (4, 8, 8), 16)
        mean = plain.encode(photo) / 0.5
        for channel in range(4):
            expected = (mean[:, channel] - 0.1 * (channel + 1)) * 0.5 / (channel + 1)
            assert torch.allclose(scaled.encode(photo)[:, channel], expected, atol=1e-5)
        assert torch.allclose(scaled.decoded(scaled.encode(photo)), plain.decoded(plain.encode(photo)), atol=1e-4)


@pytest.mark.parametrize("kind", LATENT)
def test_previews_have_the_pictures_shape_and_decode_nothing(tiny, draws, monkeypatch, kind):
    backbone = tiny(kind)
    states = draws(2, backbone.dimension)
    first = backbone.previews(states)
    assert first.shape == backbone.pictures(states).shape == (2, 16, 16, 3)
    monkeypatch.setattr(backbone.pipeline.vae, "decode", lambda *a, **k: pytest.fail("a preview was decoded"))
    assert np.array_equal(backbone.previews(states), first)


def test_a_linear_autoencoder_is_previewed_exactly(monkeypatch, tiny):
    """Where a decode is linear in the latent cell, least squares must find it."""
    from gensot_demo.backbones.pipelines.pixels import LatentCodec

    codec = LatentCodec(tiny("sd").pipeline.vae, (4, 8, 8), 16)
    colours = torch.tensor([[0.3, 0.0, 0.1], [0.0, 0.2, 0.0], [0.1, 0.1, 0.4], [0.2, 0.0, 0.0]])
    offset = torch.tensor([0.05, -0.1, 0.0])

    def decoded(states):
        cells = torch.einsum("nchw,ck->nkhw", states, colours) + offset[:, None, None]
        return cells.repeat_interleave(2, -1).repeat_interleave(2, -2)

    def encoded(pixels):
        return torch.randn(len(pixels), 4, pixels.shape[-1] // 2, pixels.shape[-1] // 2, generator=generator)

    generator = torch.Generator().manual_seed(2)
    monkeypatch.setattr(codec, "decoded", decoded)
    monkeypatch.setattr(codec, "_encoded", encoded)
    fitted = codec._fitted()
    assert torch.allclose(fitted[:-1], colours, atol=5e-3)
    assert torch.allclose(fitted[-1], offset, atol=5e-3)


def test_nothing_can_be_asked_of_an_unconditional_model(tiny):
    assert tiny("ddpm").condition_names() == []
    with pytest.raises(UnknownCondition, match="nothing can be asked of it"):
        tiny("ddpm").condition("cat")
    assert tiny("ddpm").joint([]) == (None, None)


def test_classes_by_number_and_by_name(tiny, monkeypatch):
    backbone = tiny("dit")
    assert backbone.condition_names()[:2] == ["class 0", "class 1"]
    assert len(backbone.condition_names()) == 1000
    assert backbone.condition("class 7") == backbone.condition("7") == 7
    for name in ("class 1000", "-1", "wolf", ""):
        with pytest.raises(UnknownCondition, match="class 0 to class 999"):
            backbone.condition(name)
    joint, reason = backbone.joint(["class 1", "class 2"])
    assert joint is None
    assert reason == "dit takes one condition at a time."
    assert backbone.joint(["class 3"]) == (3, None)
    monkeypatch.setattr(backbone.pipeline, "labels", {"tench": 0, "Tinca tinca": 0, "cock": 7})
    named = PipelineBackbone(backbone.pipeline, name="named")
    assert named.condition_names() == ["tench", "Tinca tinca", "cock"]
    assert (named.condition("cock"), named.condition("class 999")) == (7, 999)


def test_prompts(tiny):
    backbone = tiny("sd")
    assert backbone.condition_names() == []
    assert backbone.condition("  a red dog ") == PROMPT
    assert backbone.joint(["a red dog", "a house"]) == ("a red dog, a house", None)
    assert backbone.joint([]) == (None, None)
    for empty in ("", "   "):
        with pytest.raises(UnknownCondition, match="The prompt is empty"):
            backbone.condition(empty)
    with pytest.raises(UnknownCondition, match=r"has 10,000 characters; a prompt may have at most 1,000\."):
        backbone.condition("a" * 10_000)
    joint, reason = backbone.joint(["a" * 600, "b" * 600])
    assert joint is None
    assert "1,202 characters" in reason
    with pytest.raises(UnknownCondition):
        backbone.joint(["a red dog", ""])


def test_what_the_text_encoders_do_not_read_is_said(tiny):
    words = " ".join(["red"] * 40)
    assert tiny("sd").truncated(PROMPT) is None
    assert tiny("sd").truncated(words) == "The model reads only the first 14 tokens of this prompt; it has 40."
    assert tiny("sd3").truncated(words).startswith("The model reads only the first 14 tokens")
    assert tiny("flux").truncated(words) == (
        "One of the model's text encoders reads only the first 14 of this prompt's 40 tokens."
    )
    assert tiny("dit").truncated(words) is None


def test_guidance_that_is_built_in(tiny):
    for kind in ("sd-distilled", "flux-distilled"):
        assert tiny(kind).no_null == (
            f"{kind} was distilled with its guidance built in; true classifier-free guidance does not exist for it."
        )
    assert tiny("flux").no_null is None
    assert tiny("sd").no_null is None


@pytest.mark.parametrize("kind", ["sd", "sdxl", "sd3"])
def test_the_null_prompt_is_the_pipelines_negative_default(tiny, kind):
    pipeline = tiny(kind).pipeline
    more = (None, None) if kind == "sd3" else ()
    arguments = (PROMPT, "cpu", 1, True) if kind == "sd" else (PROMPT, *more)
    out = pipeline.encode_prompt(*arguments)
    tokens, pooled = Embeddings(pipeline).rows([PROMPT, None], torch.device("cpu"), torch.float32)
    assert torch.allclose(tokens, torch.cat([out[0], out[1]]), atol=1e-5)
    if kind == "sdxl":
        assert not tokens[1].any()  # force_zeros_for_empty_prompt
    if kind != "sd":
        assert torch.allclose(pooled, torch.cat([out[2], out[3]]), atol=1e-5)


def test_each_prompt_is_encoded_once_and_few_are_kept(tiny, monkeypatch):
    pipeline, calls = tiny("sd").pipeline, []
    encode = pipeline.encode_prompt
    monkeypatch.setattr(pipeline, "encode_prompt", lambda *a, **k: (calls.append(a[0]), encode(*a, **k))[1])
    embeddings = Embeddings(pipeline)
    device, dtype = torch.device("cpu"), torch.float32
    for _ in range(3):
        embeddings.rows([PROMPT, None, PROMPT], device, dtype)
    assert calls == [PROMPT, ""]
    for n in range(PROMPTS_KEPT):
        embeddings.rows([f"a dog {n}"], device, dtype)
    assert len(embeddings._known) == PROMPTS_KEPT
    embeddings.rows([PROMPT], device, dtype)
    assert calls[-1] == PROMPT


def test_other_resolutions(tiny):
    larger = PipelineBackbone(tiny("sd").pipeline, name="larger", resolution=32)
    assert (larger.info.resolution, larger.dimension) == (32, 4 * 16 * 16)
    with pytest.raises(BackboneUnavailable, match="resolution is 18; it must be a multiple of 4 pixels"):
        PipelineBackbone(tiny("sd").pipeline, name="odd", resolution=18)
    with pytest.raises(BackboneUnavailable, match="only makes pictures of 16 pixels"):
        PipelineBackbone(tiny("dit").pipeline, name="fixed", resolution=32)


def test_pipelines_that_cannot_be_taken(tiny, monkeypatch):
    from diffusers import FlowMatchEulerDiscreteScheduler

    pipeline = tiny("sd").pipeline
    with monkeypatch.context() as patch:
        patch.setattr(pipeline, "scheduler", FlowMatchEulerDiscreteScheduler())
        with pytest.raises(BackboneUnavailable, match="scheduler FlowMatchEulerDiscreteScheduler is not supported"):
            PipelineBackbone(pipeline, name="mixed")
    other = type("KandinskyPipeline", (), {"set_progress_bar_config": lambda self, **options: None})()
    with pytest.raises(BackboneUnavailable, match="KandinskyPipeline is not supported; there are DDPMPipeline"):
        PipelineBackbone(other, name="other")


def test_a_safety_checker_is_asked(tiny, draws, monkeypatch):
    backbone = tiny("sd")
    states = draws(2, backbone.dimension)
    plain = backbone.pictures(states)

    def check(pixels, device, dtype):
        return torch.stack([pixels[0], torch.zeros_like(pixels[1])]), [False, True]

    monkeypatch.setattr(backbone.pipeline, "safety_checker", object())
    monkeypatch.setattr(backbone.pipeline, "run_safety_checker", check)
    checked = backbone.pictures(states)
    assert np.array_equal(checked[0], plain[0])
    assert not checked[1].any()


def test_decoding_with_little_memory(tiny, draws, monkeypatch):
    backbone = tiny("sd")
    states = draws(5, backbone.dimension)
    expected, decode = backbone.pictures(states), backbone.pipeline.vae.decode

    def limited(most):
        def small_device(latents, **options):
            if len(latents) > most:
                raise torch.OutOfMemoryError("CUDA out of memory.")
            return decode(latents, **options)

        return small_device

    monkeypatch.setattr(backbone.pipeline.vae, "decode", limited(1))
    assert np.abs(backbone.pictures(states).astype(int) - expected.astype(int)).max() <= 1
    monkeypatch.setattr(backbone.pipeline.vae, "decode", limited(0))
    with pytest.raises(OutOfMemory, match="too little memory to decode one picture"):
        backbone.pictures(states)
