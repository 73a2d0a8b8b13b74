"""Unmodified diffusers pipelines with the scheduler give what our own sampler gives on the same noise."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from diffusers import DDIMPipeline, DDPMPipeline, DDPMScheduler, DiffusionPipeline, StableDiffusionImg2ImgPipeline
from torch import Tensor

from gensot_demo.backbones.network_oracle import Denoiser, NetworkOracle
from gensot_demo.guidance.base import BoundMethod, Task
from gensot_demo.guidance.gensot import GenSOT
from gensot_demo.integrations import GenSOTScheduler
from gensot_demo.transport.conductor import Job, run
from gensot_demo.transport.grids import at_noise_levels, noise_levels
from gensot_demo.transport.noise import SharedNoise
from gensot_demo.transport.samplers import bridge_step, deterministic_step

from . import tiny

LATENT, STEPS, STRENGTH = (4, 8, 8), 6, 3.0


class Increments(SharedNoise):
    """The pipeline's start noise, and the increments that its generator gives next."""

    def __init__(self, start: Tensor, generator: torch.Generator):
        super().__init__(range(len(start)), start[0].numel(), dtype=torch.float32)
        self._start, self._generator = start, generator

    def direction(self, log_K: float) -> Tensor:
        return self._start.flatten(1)

    def increment(self, log_K: float, log_K_next: float) -> Tensor:
        return torch.randn(self._start.shape, generator=self._generator).flatten(1)


class PipelineDenoiser(Denoiser):
    """A pipeline's network with its own classifier-free guidance, in its own table of noise levels."""

    dtype, device = torch.float32, torch.device("cpu")

    def __init__(self, epsilon, shape: tuple[int, ...], alphas_cumprod: Tensor):
        self.epsilon, self.shape, self.dimension = epsilon, shape, math.prod(shape)
        signal = alphas_cumprod.double().numpy()
        self.levels = np.sqrt((1 - signal) / signal)
        self.sigma_min, self.sigma_max = float(self.levels[0]), float(self.levels[-1])

    def predict(self, x, a, m, conditions):
        level = float(m[0] / a[0])
        timestep = np.interp(np.log(level), np.log(self.levels), np.arange(len(self.levels)))
        noise = self.epsilon(x.reshape(-1, *self.shape), torch.tensor(timestep, dtype=torch.float32)).flatten(1)
        return (x - float(m[0]) * noise) / float(a[0])


def latents(count: int, shape=LATENT) -> tuple[Tensor, torch.Generator]:
    generator = torch.Generator().manual_seed(5)
    return torch.randn(count, *shape, generator=generator), generator


def own_samples(
    oracle: NetworkOracle, scheduler: GenSOTScheduler, reference: Tensor | None, start: Tensor, generator
) -> Tensor:
    """What conductor.run gives on the scheduler's levels."""
    denoiser = oracle.denoiser
    settings = scheduler.config
    method = GenSOT(stiffness=settings.stiffness, temperature=settings.temperature, particles=1)
    task = Task(stochastic=settings.stochastic)
    if reference is not None:
        task = Task(references=(reference.flatten(),), reference_trusts=(1.0,), view_noise=settings.reference_noise)
    calls = STEPS - (reference is not None)
    levels = noise_levels(calls, denoiser.sigma_max, denoiser.sigma_min)
    grid = at_noise_levels(method.path(task, None), levels).to("cpu", torch.float32)
    steering = BoundMethod(method, task, range(len(start)), 1.0)
    sampler = bridge_step if settings.stochastic else deterministic_step
    job = Job("own", sampler, grid, Increments(start, generator), steering)
    return run([job], oracle)[0].end.reshape(start.shape)


@pytest.fixture(scope="module")
def stable_diffusion(tmp_path_factory):
    pipe = tiny.stable_diffusion(tmp_path_factory.mktemp("sd"))
    pipe.set_progress_bar_config(disable=True)
    return pipe


def guided_network(pipe):
    conditional, null = pipe.encode_prompt("a b", "cpu", 1, True)

    def epsilon(x: Tensor, timestep: Tensor) -> Tensor:
        states = torch.cat([null, conditional]).repeat_interleave(len(x), 0)
        with torch.no_grad():
            free, wanted = pipe.unet(torch.cat([x, x]), timestep, encoder_hidden_states=states).sample.chunk(2)
        return free + STRENGTH * (wanted - free)

    return PipelineDenoiser(epsilon, LATENT, pipe_table(pipe))


def pipe_table(pipe) -> Tensor:
    names = ("num_train_timesteps", "beta_start", "beta_end", "beta_schedule")
    return DDPMScheduler(**{name: pipe.scheduler.config[name] for name in names}).alphas_cumprod


@pytest.mark.parametrize("stochastic", [True, False])
@pytest.mark.parametrize("view", [None, 0.7, 0.02])
def test_stable_diffusion_equals_our_sampler(stable_diffusion, stochastic, view):
    """A view with noise 0.02 asks from below the lowest of the network's levels."""
    pipe = stable_diffusion
    pipe.scheduler = GenSOTScheduler.from_config(
        pipe.scheduler.config, stiffness=20.0, temperature=0.5, reference_noise=view or 1.0, stochastic=stochastic
    )
    oracle = NetworkOracle(guided_network(pipe))
    reference = torch.linspace(-1, 1, math.prod(LATENT)).reshape(LATENT) if view else None
    if view:
        pipe.scheduler.set_reference(reference)
    else:
        pipe.scheduler.set_mean(oracle._mean(None).reshape(LATENT))
    start, generator = latents(2)
    images = pipe(
        ["a b"] * 2, num_inference_steps=STEPS, guidance_scale=STRENGTH, latents=start, generator=generator,
        output_type="latent", height=16, width=16,
    ).images  # fmt: skip
    own = own_samples(oracle, pipe.scheduler, reference, *latents(2))
    assert float((images - own).abs().max() / own.abs().max()) < 1e-4
    pipe.scheduler = GenSOTScheduler.from_config(pipe.scheduler.config)
    other = pipe(
        ["a b"] * 2, num_inference_steps=STEPS, guidance_scale=1.5, latents=start, output_type="latent",
        height=16, width=16, generator=latents(2)[1],
    ).images  # fmt: skip
    assert float((other - own).abs().max() / own.abs().max()) > 1e-2


@pytest.mark.parametrize("kind", [DDPMPipeline, DDIMPipeline])
def test_pixel_pipelines_equal_our_sampler(kind):
    """They do not scale their input: the network meets the plain noise first, off by 2e-5 in scale."""
    unet = tiny.unet()
    torch.nn.init.normal_(unet.conv_out.weight, std=1e-3)  # near a picture
    pipe = kind(unet, DDPMScheduler(clip_sample=False))
    pipe.set_progress_bar_config(disable=True)
    pipe.scheduler = GenSOTScheduler.from_config(pipe.scheduler.config, stochastic=kind is DDPMPipeline)
    shape = (3, 8, 8)

    def epsilon(x: Tensor, timestep: Tensor) -> Tensor:
        with torch.no_grad():
            return unet(x, timestep).sample

    oracle = NetworkOracle(PipelineDenoiser(epsilon, shape, pipe_table(pipe)))
    oracle._means[None] = torch.zeros(math.prod(shape))  # as the pipeline starts
    start, generator = latents(1, shape)
    seen = []
    step = pipe.scheduler.step
    pipe.scheduler.step = lambda *args, **named: seen.append(step(*args, **named)) or seen[-1]
    pipe(generator=torch.Generator().manual_seed(5), num_inference_steps=STEPS, output_type="np")
    own = own_samples(oracle, pipe.scheduler, None, start, generator)
    assert len(seen) == STEPS
    assert float((seen[-1].prev_sample - own).abs().max() / own.abs().max()) < 1e-3


def test_stable_diffusion_xl_follows_its_reference(tmp_path):
    pipe = tiny.stable_diffusion_xl(tmp_path)
    pipe.set_progress_bar_config(disable=True)

    def distance(reference_noise: float) -> float:
        pipe.scheduler = GenSOTScheduler.from_config(pipe.scheduler.config, reference_noise=reference_noise)
        pipe.scheduler.set_reference(torch.ones(LATENT))
        out = pipe(
            "a", num_inference_steps=tiny.STEPS, output_type="latent", generator=latents(1)[1], height=16, width=16
        ).images
        return float((out - 1).square().mean().sqrt())

    near, far = distance(0.1), distance(3.0)
    assert near < 0.3 < far


def test_dit_places_its_noise_once():
    """DiTPipeline replaces its state by the scaled input; the noise must survive that and the doubled batch."""
    pipe = tiny.dit()
    pipe.set_progress_bar_config(disable=True)

    def states(reference: Tensor | None, strength: float) -> list[Tensor]:
        pipe.scheduler = GenSOTScheduler.from_config(pipe.scheduler.config, stochastic=False)
        pipe.scheduler.set_reference(reference)
        seen, step = [], pipe.scheduler.step

        def watched(*args, **named):
            seen.append(step(*args, **named))
            return seen[-1]

        pipe.scheduler.step = watched
        pipe([3], guidance_scale=strength, num_inference_steps=STEPS, generator=latents(1)[1], output_type="np")
        return [output.prev_sample[:1] for output in seen]

    for reference in (None, torch.ones(LATENT)):
        guided, plain = states(reference, 4.0), states(reference, 1.0)
        assert len(guided) == STEPS
        if reference is not None:  # opened, the network's input holds the noise of the first level again
            noise = (guided[0] - guided[0].mean()) / guided[0].std()
            start = torch.randn(1, *LATENT, generator=latents(1)[1])
            assert float((noise * (start - start.mean()) / start.std()).mean()) > 0.9
        assert float((guided[-1] - plain[-1]).abs().max()) > 1e-3


def test_image_to_image_starts_in_the_middle(stable_diffusion, tmp_path):
    pipe = StableDiffusionImg2ImgPipeline.from_pipe(stable_diffusion)
    pipe.set_progress_bar_config(disable=True)
    pipe.scheduler = GenSOTScheduler.from_config(pipe.scheduler.config)
    picture = torch.zeros(1, 4, 8, 8)

    def distance(strength: float) -> float:
        out = pipe(
            "a", picture, strength=strength, num_inference_steps=20, generator=latents(1)[1], output_type="latent"
        ).images
        return float((out - picture).square().mean().sqrt())

    assert distance(0.1) < 0.3 * distance(0.9)


def test_a_pipeline_is_saved_and_loaded_with_its_scheduler(stable_diffusion, tmp_path):
    pipe = stable_diffusion
    pipe.scheduler = GenSOTScheduler.from_config(pipe.scheduler.config, stiffness=7.0, guide=0.25, stochastic=False)
    pipe.save_pretrained(tmp_path)
    again = DiffusionPipeline.from_pretrained(tmp_path).scheduler
    assert isinstance(again, GenSOTScheduler)
    assert dict(again.config) | {"_use_default_values": 0} == dict(pipe.scheduler.config) | {"_use_default_values": 0}
    alone = GenSOTScheduler.from_pretrained(tmp_path, subfolder="scheduler")
    assert (alone.config.stiffness, alone.config.guide, alone.config.beta_start) == (7.0, 0.25, 0.00085)


def test_settings_of_the_pipelines_scheduler_are_taken_over():
    theirs = DDPMScheduler(beta_schedule="squaredcos_cap_v2", prediction_type="v_prediction", clip_sample=True)
    ours = GenSOTScheduler.from_config(theirs.config)
    signal = theirs.alphas_cumprod.double()
    levels = ours._table.sigmas(torch.arange(1000)).numpy()
    assert levels == pytest.approx(((1 - signal) / signal).sqrt().numpy(), rel=2e-3)
    rescaled = GenSOTScheduler.from_config(theirs.config, rescale_betas_zero_snr=True)
    rescaled.set_timesteps(10)
    assert float(rescaled.sigmas[0]) > 1000
    assert bool((rescaled.sigmas.diff() < 0).all() and torch.isfinite(rescaled.sigmas).all())
    assert (ours.config.prediction_type, ours.config.clip_sample) == ("v_prediction", True)
