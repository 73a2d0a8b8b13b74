"""The pipeline's own sampling, step by step, reproduced by our samplers on the model's own grid."""

import pytest
import torch

from gensot_demo.guidance.base import BoundMethod, Task
from gensot_demo.guidance.classifier_free import ClassifierFreeGuidance
from gensot_demo.guidance.conditional import Conditional
from gensot_demo.transport.conductor import Job, run
from gensot_demo.transport.samplers import deterministic_step

STEPS, ROWS, SCALE = 5, 2, 5.0
PROMPT, OTHER = "a red dog on the house", "small green cat"
TOLERANCE = 1e-4


class Recorder:
    """Keeps every state that a scheduler is given and returns."""

    def __init__(self, scheduler):
        self.states, self._step = [], scheduler.step
        scheduler.step = self

    def __call__(self, output, timestep, sample, *arguments, **options):
        if not self.states:
            self.states.append(sample)
        result = self._step(output, timestep, sample, *arguments, **options)
        self.states.append(result[0] if isinstance(result, tuple) else result.prev_sample)
        return result


class FromLatents(BoundMethod):
    """Starts from given states, as no shared noise is the pipeline's own."""

    def __init__(self, method, task, x):
        super().__init__(method, task, range(len(x)), 1.0)
        self.x = x

    def start(self, grid, noise):
        return 0, self.x
        yield


def theirs(pipeline, asked, steps=STEPS):
    """States (ROWS, d) after each step of the pipeline, the start first, with guidance at SCALE where there is any."""
    kind = type(pipeline).__name__
    common = {"generator": torch.Generator().manual_seed(3), "num_inference_steps": steps}
    recorder = Recorder(pipeline.scheduler)
    try:
        if kind == "DDIMPipeline":
            pipeline(batch_size=ROWS, output_type="pt", **common)
        elif kind == "DiTPipeline":
            pipeline(class_labels=[asked] * ROWS, guidance_scale=SCALE, output_type="pt", **common)
        elif kind == "FluxPipeline":
            guidance = {"negative_prompt": [""] * ROWS, "true_cfg_scale": SCALE}
            guidance = {} if pipeline.transformer.config.guidance_embeds else guidance
            pipeline([asked] * ROWS, height=16, width=16, output_type="latent", **guidance, **common)
        else:
            guidance = {"guidance_scale": SCALE}
            guidance = {} if getattr(pipeline, "unet", None) and pipeline.unet.config.time_cond_proj_dim else guidance
            pipeline([asked] * ROWS, output_type="latent", **guidance, **common)
    finally:
        del pipeline.scheduler.step
    states = [state[:ROWS] for state in recorder.states]
    if kind == "FluxPipeline":
        states = [pipeline._unpack_latents(state, 16, 16, pipeline.vae_scale_factor) for state in states]
    return [state.flatten(1) for state in states]


def ours(backbone, name, start, steps=STEPS, **options):
    """States after each step of deterministic_step along the model's own grid."""
    condition = None if name is None else backbone.condition(name)
    if name is None or backbone.no_null:
        method, task = Conditional(), Task(joint=condition)
    else:
        method, task = ClassifierFreeGuidance(), Task(conditions=(condition,), trusts=(SCALE,), joint=condition)
    noise = backbone.noise(range(ROWS))
    job = Job("ours", deterministic_step, backbone.model_grid(steps), noise, FromLatents(method, task, start))
    return [step.x for step in run([job], backbone.oracle, **options)[0].steps]


def difference(one, other):
    """Largest difference over the states' largest value, over a trajectory."""
    assert len(one) == len(other)
    return max(float((a - b).abs().max() / b.abs().max().clamp(min=1)) for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize("kind", ["ddim", "ddim-v", "ddim-v-zero", "ddim-sample"])
def test_unconditional_pixels(tiny, kind):
    backbone = tiny(kind)
    expected = theirs(backbone.pipeline, None)
    assert difference(ours(backbone, None, expected[0]), expected) < TOLERANCE


def test_a_ddpm_model_under_the_deterministic_pipeline(tiny):
    from diffusers import DDIMPipeline, DDIMScheduler

    backbone = tiny("ddpm")
    pipeline = DDIMPipeline(backbone.pipeline.unet, DDIMScheduler.from_config(backbone.pipeline.scheduler.config))
    pipeline.set_progress_bar_config(disable=True)
    expected = theirs(pipeline, None)
    assert difference(ours(backbone, None, expected[0]), expected) < TOLERANCE


def test_classes(tiny):
    backbone = tiny("dit")
    expected = theirs(backbone.pipeline, 7)
    assert difference(ours(backbone, "class 7", expected[0]), expected) < TOLERANCE
    assert difference(theirs(backbone.pipeline, 0), expected) > 1000 * TOLERANCE


@pytest.mark.parametrize("kind", ["sd", "sd-v", "sd-distilled", "sdxl", "sd3", "flux", "flux-distilled"])
def test_prompts(tiny, kind):
    backbone = tiny(kind)
    expected = theirs(backbone.pipeline, PROMPT)
    assert difference(ours(backbone, PROMPT, expected[0]), expected) < TOLERANCE
    assert difference(theirs(backbone.pipeline, OTHER), expected) > 1000 * TOLERANCE


@pytest.mark.parametrize("steps", [1, 2, 7])
def test_other_numbers_of_steps(tiny, steps):
    for kind in ("sd", "sd3"):
        expected = theirs(tiny(kind).pipeline, PROMPT, steps)
        found = ours(tiny(kind), PROMPT, expected[0], steps)
        assert difference(found, expected) < TOLERANCE


def test_an_euler_scheduler_takes_the_same_steps_at_another_scale(tiny, monkeypatch):
    from diffusers import EulerDiscreteScheduler

    backbone = tiny("sdxl")
    euler = EulerDiscreteScheduler.from_config(backbone.pipeline.scheduler.config, timestep_spacing="leading")
    monkeypatch.setattr(backbone.pipeline, "scheduler", euler)
    spread = theirs(backbone.pipeline, PROMPT)
    grid = backbone.model_grid(STEPS)
    expected = [a * z for a, z in zip(grid.a.float(), spread, strict=True)]
    assert grid.m[-1] == 0
    assert difference(ours(backbone, PROMPT, expected[0]), expected) < TOLERANCE


@pytest.mark.parametrize("kind", ["dit", "sd", "flux"])
def test_results_do_not_depend_on_chunking(tiny, draws, kind):
    backbone = tiny(kind)
    start = draws(ROWS, backbone.dimension)
    name = "class 7" if kind == "dit" else PROMPT
    whole = ours(backbone, name, start)
    assert difference(ours(backbone, name, start, max_rows=1), whole) < 1e-5
