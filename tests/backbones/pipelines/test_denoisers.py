"""Predicted states written independently from each network's output; gradients; rows of many levels; memory."""

import copy

import pytest
import torch

from gensot_demo.backbones.network_oracle import NetworkOracle, OutOfMemory
from gensot_demo.backbones.pipelines.denoisers import pack, unpack
from gensot_demo.transport.conductor import answer_in_chunks
from gensot_demo.transport.oracles import Query

PROMPT, OTHER = "a red dog", "the blue house on small cat"
DISCRETE = ["ddpm", "ddim-v", "ddim-sample", "dit", "sd", "sd-v", "sdxl"]
FLOWS = ["sd3", "flux", "flux-distilled"]


def asked(backbone):
    return {"nothing": (None, None), "classes": (7, 0), "prompts": (PROMPT, OTHER)}[backbone.info.asks]


def own_output(pipeline, state, timestep, condition):
    """The network's raw prediction for one state (1, c, h, w), asked as the diffusers documentation does."""
    kind = type(pipeline).__name__
    with torch.no_grad():
        if kind in ("DDPMPipeline", "DDIMPipeline"):
            return pipeline.unet(state, timestep).sample
        if kind == "DiTPipeline":
            label = torch.tensor([1000 if condition is None else condition])
            return pipeline.transformer(state, timestep=timestep.reshape(1), class_labels=label).sample[:, :4]
        if kind == "StableDiffusionPipeline":
            tokens = pipeline.encode_prompt(condition or "", "cpu", 1, False)[0]
            return pipeline.unet(state, timestep, encoder_hidden_states=tokens).sample
        if kind == "StableDiffusionXLPipeline":
            tokens, _, pooled, _ = pipeline.encode_prompt(condition, device="cpu", do_classifier_free_guidance=False)
            added = {"text_embeds": pooled, "time_ids": torch.tensor([[16.0, 16.0, 0.0, 0.0, 16.0, 16.0]])}
            return pipeline.unet(state, timestep, encoder_hidden_states=tokens, added_cond_kwargs=added).sample
        if kind == "StableDiffusion3Pipeline":
            tokens, _, pooled, _ = pipeline.encode_prompt(condition, None, None, do_classifier_free_guidance=False)
            told = timestep.reshape(1)
            return pipeline.transformer(state, tokens, pooled, timestep=told).sample
        tokens, pooled, text_ids = pipeline.encode_prompt(condition)
        packed = pipeline._pack_latents(state, 1, 4, 8, 8)
        places = pipeline._prepare_latent_image_ids(1, 4, 4, "cpu", torch.float32)
        guidance = torch.tensor([3.5]) if pipeline.transformer.config.guidance_embeds else None
        output = pipeline.transformer(
            packed, tokens, pooled, timestep.reshape(1) / 1000, places, text_ids, guidance
        ).sample
        return pipeline._unpack_latents(output, 16, 16, pipeline.vae_scale_factor)


@pytest.mark.parametrize("kind", DISCRETE)
@pytest.mark.parametrize("timestep", [1, 500, 999])
def test_prediction_at_the_models_own_levels(tiny, draws, kind, timestep):
    backbone = tiny(kind)
    condition = asked(backbone)[0]
    square = backbone.pipeline.scheduler.alphas_cumprod[timestep].double()
    alpha, sigma = square.sqrt(), (1 - square).sqrt()
    x = draws(1, backbone.dimension)
    output = own_output(backbone.pipeline, x.reshape(1, *backbone.codec.shape), torch.tensor(timestep), condition)
    output = output.flatten(1)
    prediction = backbone.pipeline.scheduler.config.prediction_type
    expected = {
        "epsilon": (x - sigma * output) / alpha,
        "v_prediction": alpha * x - sigma * output,
        "sample": output,
    }[prediction].float()
    for scale in (1.0, 3.7):  # the same state on another path
        found = backbone.oracle.predict(scale * x, float(scale * alpha), float(scale * sigma), condition)
        assert float((found - expected).abs().max()) < 3e-5 * float(expected.abs().max().clamp(min=1))


@pytest.mark.parametrize("kind", FLOWS)
@pytest.mark.parametrize("s", [0.05, 0.5, 0.9, 1.0])
def test_prediction_of_flow_models(tiny, draws, kind, s):
    backbone = tiny(kind)
    condition = asked(backbone)[0]
    x = draws(1, backbone.dimension)
    shaped = x.reshape(1, *backbone.codec.shape)
    output = own_output(backbone.pipeline, shaped, torch.tensor(1000 * s), condition).flatten(1)
    expected = x - s * output
    for scale in (1.0, 3.7):
        found = backbone.oracle.predict(scale * x, scale * (1 - s), scale * s, condition)
        assert float((found - expected).abs().max()) < 3e-5 * float(expected.abs().max().clamp(min=1))


def test_timesteps_are_hit_exactly(tiny):
    for kind in DISCRETE:
        table = tiny(kind).oracle.denoiser.table
        squares = tiny(kind).pipeline.scheduler.alphas_cumprod.double()
        a, m = squares.sqrt(), (1 - squares).sqrt()
        told = table.timesteps(2 * (torch.log(a) - torch.log(m))).float()
        assert torch.equal(told, torch.arange(1000.0))


@pytest.mark.parametrize("kind", ["ddpm", "dit", "sd", "sdxl", "sd3", "flux"])
def test_rows_have_levels_and_conditions_of_their_own(tiny, draws, kind):
    backbone = tiny(kind)
    denoiser = backbone.oracle.denoiser
    first, second = asked(backbone)
    conditions = [first, None, second, first]
    angle = torch.tensor([0.1, 0.7, 1.2, 1.2], dtype=torch.float64)
    a, m = torch.cos(angle), torch.sin(angle)
    x = draws(1, backbone.dimension).repeat(4, 1)
    with torch.no_grad():
        together = denoiser.predict(x, a, m, conditions)
        alone = [denoiser.predict(x[n : n + 1], a[n : n + 1], m[n : n + 1], conditions[n : n + 1]) for n in range(4)]
    size = float(together.abs().max())
    assert float((together - torch.cat(alone)).abs().max()) < 1e-5 * size
    if backbone.info.asks != "nothing":
        assert float((together[2] - together[3]).abs().max()) > 1e-2 * size


def in_double(backbone):
    denoiser = copy.copy(backbone.oracle.denoiser)
    denoiser.network = copy.deepcopy(denoiser.network).double()
    denoiser.dtype = denoiser.network_dtype = torch.float64
    return NetworkOracle(denoiser)


@pytest.mark.parametrize("kind", ["ddpm", "ddim-v", "dit", "sd", "sdxl", "sd3", "flux"])
def test_pullback_is_the_networks_own_slope(tiny, draws, kind):
    backbone = tiny(kind)
    oracle, condition = in_double(backbone), asked(backbone)[0]
    x, v, u = (draws(2, backbone.dimension, seed).double() for seed in range(3))
    a, m, h = 0.8, 0.5, 1e-5
    answer = oracle.answer([Query(x, a, m, (condition, None), cotangent=lambda predicted: v)])[0]
    forward = oracle.predict(x + h * u, a, m, condition) - oracle.predict(x - h * u, a, m, condition)
    expected = m**2 / a * (v * forward / (2 * h)).sum(1)
    found = (answer.pullback * u).sum(1)
    # a network that upcasts its norms or embeddings to float32 bounds what a difference quotient can tell
    assert torch.allclose(found, expected, rtol=2e-3, atol=2e-3 * float(expected.abs().max()))
    assert float(answer.pullback.abs().max()) > 1e-3
    assert torch.allclose(answer.predicted[0], oracle.predict(x, a, m, condition))


def test_gradients_leave_the_weights_alone(tiny, draws):
    backbone = tiny("sd")
    query = Query(draws(1, backbone.dimension), 0.8, 0.6, (PROMPT,), cotangent=lambda predicted: predicted[0])
    assert backbone.oracle.answer([query])[0].pullback.isfinite().all()
    network = backbone.oracle.denoiser.network
    assert not network.training
    assert all(p.grad is None and not p.requires_grad for p in network.parameters())


def test_a_gradient_at_pure_noise_asks_the_network_too(tiny, draws):
    backbone = tiny("sd3")
    x = draws(2, backbone.dimension)
    plain = backbone.oracle.predict(x, 0.0, 1.0, PROMPT)
    answer = backbone.oracle.answer([Query(x, 0.0, 1.0, (PROMPT,), cotangent=lambda predicted: predicted[0])])[0]
    assert torch.allclose(answer.predicted[0], plain)


def test_too_little_memory_halves_the_batch_and_changes_nothing(tiny, draws, monkeypatch):
    backbone = tiny("dit")
    oracle = NetworkOracle(backbone.oracle.denoiser)
    queries = [
        Query(draws(5, backbone.dimension, 1), 0.6, 0.8, (7, None)),
        Query(draws(3, backbone.dimension, 2), 0.9, 0.3, (0,), cotangent=lambda predicted: predicted[0]),
    ]
    expected = oracle.answer(queries)
    sizes, predict = [], oracle.denoiser.predict

    def small_device(x, *arguments):
        if len(x) > 2:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        sizes.append(len(x))
        return predict(x, *arguments)

    monkeypatch.setattr(oracle.denoiser, "predict", small_device)
    found = oracle.answer(queries)
    assert max(sizes) <= 2
    assert oracle.largest_batch <= 2
    for one, other in zip(found, expected, strict=True):
        assert torch.allclose(one.predicted, other.predicted, rtol=1e-4, atol=1e-4)
    assert torch.allclose(found[1].pullback, expected[1].pullback, rtol=1e-4, atol=1e-4)


def test_no_memory_for_a_single_state_is_said(tiny, draws, monkeypatch):
    backbone = tiny("dit")
    oracle = NetworkOracle(backbone.oracle.denoiser)

    def full_device(*arguments):
        raise torch.OutOfMemoryError("CUDA out of memory.")

    monkeypatch.setattr(oracle.denoiser, "predict", full_device)
    with pytest.raises(OutOfMemory, match="too little memory for a single picture"):
        answer_in_chunks(oracle, [Query(draws(3, backbone.dimension), 0.6, 0.8)], 8)


def test_packing_is_the_pipelines_own(tiny, draws):
    pipeline = tiny("flux").pipeline
    latents = draws(2, 4 * 8 * 6).reshape(2, 4, 8, 6)
    assert torch.equal(pack(latents), pipeline._pack_latents(latents, 2, 4, 8, 6))
    assert torch.equal(unpack(pack(latents), (4, 8, 6)), latents)
