"""The model's own levels as a path: against its definition, its derivatives, and what samplers make of its grids."""

import math

import pytest
import torch

from gensot_demo.backbones.pipelines.schedules import NoiseTable, SchedulerPath
from gensot_demo.transport.averaged import averaged_step
from gensot_demo.transport.conductor import Job, run
from gensot_demo.transport.errors import InvalidValue
from gensot_demo.transport.samplers import bridge_step, deterministic_step, heun
from gensot_demo.transport.steering import Steering


def scheduler(name, **options):
    import diffusers

    settings = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear", "steps_offset": 1}
    return getattr(diffusers, name)(**settings | options)


def with_scheduler(tiny, monkeypatch, kind, new):
    backbone = tiny(kind)
    monkeypatch.setattr(backbone.pipeline, "scheduler", new)
    return backbone


def test_the_path_passes_through_the_models_levels():
    own = scheduler("DDIMScheduler")
    table = NoiseTable.of_scheduler(own)
    path = SchedulerPath(table)
    timesteps = torch.tensor([999.0, 731.0, 1.0, 0.0], dtype=torch.float64)
    points = path.at(path.time(timesteps))
    squares = own.alphas_cumprod.double()[timesteps.long()]
    assert torch.allclose(points.a**2, squares, rtol=1e-12)
    assert torch.allclose(points.m**2, 1 - squares, rtol=1e-11)
    assert torch.allclose(points.log_K, torch.log(squares / (1 - squares)), atol=1e-10)
    end = path.at(1.0).point(0)
    assert (end.a, end.m, end.log_K) == (1.0, 0.0, math.inf)
    assert path.at(0.0).point(0).a ** 2 == pytest.approx(float(own.alphas_cumprod[-1]), rel=1e-6)


@pytest.mark.parametrize("zero", [False, True])
def test_derivatives_along_the_path(zero):
    path = SchedulerPath(NoiseTable.of_scheduler(scheduler("DDIMScheduler", rescale_betas_zero_snr=zero)))
    t = torch.tensor([0.00043, 0.2503, 0.7007, 0.9985, 0.99967], dtype=torch.float64)
    h = 1e-7
    points, after, before = path.at(t), path.at(t + h), path.at(t - h)
    assert torch.allclose(points.da, (after.a - before.a) / (2 * h), rtol=1e-5, atol=1e-6)
    assert torch.allclose(points.dm, (after.m - before.m) / (2 * h), rtol=1e-5, atol=1e-6)
    assert torch.allclose(points.a**2 + points.m**2, torch.ones(5, dtype=torch.float64))
    assert bool((path.at(torch.linspace(0, 1, 500)).log_K.diff() > 0).all())


def test_levels_are_found_again_and_beyond_the_table_is_its_end():
    table = NoiseTable.of_scheduler(scheduler("DDIMScheduler"))
    timesteps = torch.tensor([0.25, 499.5, 998.75], dtype=torch.float64)
    path = SchedulerPath(table)
    assert torch.allclose(table.timesteps(path.at(path.time(timesteps)).log_K), timesteps, atol=1e-9)
    assert table.timesteps(torch.tensor([50.0, -50.0])).tolist() == [0.0, 999.0]
    sigma = torch.tensor([10.0, 1.0, 0.05], dtype=torch.float64)
    assert torch.allclose(path.at(path.times_of_sigma(sigma)).sigma, sigma, rtol=1e-9)


def test_noise_levels_of_timesteps_stop_at_the_tables_ends():
    table = NoiseTable.of_scheduler(scheduler("DDIMScheduler"))
    assert table.sigmas(torch.tensor([-5, 0])).tolist() == pytest.approx([table.sigma_min] * 2, rel=1e-14)
    assert table.sigmas(torch.tensor([999, 1200])).tolist() == pytest.approx([table.sigma_max] * 2, rel=1e-14)
    timesteps = torch.tensor([0.25, 731.0, 998.75], dtype=torch.float64)
    assert torch.allclose(table.timesteps(-2 * table.sigmas(timesteps).log()), timesteps, atol=1e-9)


def test_pure_noise_at_the_last_timestep():
    table = NoiseTable.of_scheduler(scheduler("DDIMScheduler", rescale_betas_zero_snr=True))
    assert table.sigma_max == float(table.sigmas(torch.tensor([999]))) == math.inf
    assert table.timesteps(torch.tensor([-math.inf, -60.0])).tolist() == pytest.approx([999.0, 999.0], abs=1e-9)
    start = SchedulerPath(table).at(0.0).point(0)
    assert (start.a, start.m, start.log_K) == (0.0, 1.0, -math.inf)


def test_levels_must_rise():
    with pytest.raises(InvalidValue, match="rise strictly"):
        NoiseTable(torch.tensor([1.0, 2.0, 0.0]))


@pytest.mark.parametrize(
    ("name", "options", "end"),
    [
        ("DDIMScheduler", {"set_alpha_to_one": True}, 0.0),
        ("DDIMScheduler", {"set_alpha_to_one": False}, 0.029168),
        ("DDIMScheduler", {"set_alpha_to_one": False, "steps_offset": 0}, 0.029168),
        ("DDPMScheduler", {}, 0.0),
        ("PNDMScheduler", {"skip_prk_steps": True, "set_alpha_to_one": False}, 0.029168),
        ("EulerDiscreteScheduler", {}, 0.0),
        ("EulerDiscreteScheduler", {"use_karras_sigmas": True}, 0.0),
        ("DPMSolverMultistepScheduler", {}, 0.0),
        ("UniPCMultistepScheduler", {"final_sigmas_type": "sigma_min"}, 0.029168),
    ],
)
def test_grids_fall_strictly_and_end_where_the_scheduler_does(tiny, monkeypatch, name, options, end):
    backbone = with_scheduler(tiny, monkeypatch, "sd", scheduler(name, **options))
    grid = backbone.model_grid(6)
    sigma = grid.sigma
    assert bool((sigma.diff() < 0).all())
    assert float(sigma[-1]) == pytest.approx(end, abs=1e-5)
    assert len(grid) == (6 if options.get("steps_offset") == 0 else 7)
    assert float(sigma[0]) <= backbone.sigma_range[0]


def test_as_many_steps_as_timesteps(tiny):
    grid = tiny("sd").model_grid(1000)
    assert bool((grid.log_K.diff() > 0).all())


def test_flow_grids_start_at_pure_noise(tiny):
    grid = tiny("sd3").model_grid(4)
    assert (float(grid.a[0]), float(grid.m[0]), float(grid.m[-1])) == (0.0, 1.0, 0.0)
    shifted = [3 * s / (1 + 2 * s) for s in torch.linspace(1, tiny("sd3").pipeline.scheduler.sigma_min, 4).tolist()]
    assert grid.m[:-1].tolist() == pytest.approx(shifted, rel=1e-5)


@pytest.mark.parametrize("steps", [0, 1001])
def test_steps_out_of_range(tiny, steps):
    with pytest.raises(InvalidValue, match=f"steps is {steps}; it must be a whole number from 1 to 1000"):
        tiny("sd").model_grid(steps)


def test_the_pipelines_scheduler_keeps_its_place(tiny):
    own = tiny("sd").pipeline.scheduler
    own.set_timesteps(3)
    before = own.timesteps.clone()
    tiny("sd").model_grid(7)
    assert torch.equal(own.timesteps, before)


@pytest.mark.parametrize("kind", ["ddpm", "ddim-v-zero", "sd", "sd3", "flux"])
@pytest.mark.parametrize("sampler", [deterministic_step, bridge_step, averaged_step])
def test_samplers_walk_the_models_own_grid(tiny, kind, sampler):
    backbone = tiny(kind)
    condition = "a red dog" if backbone.info.asks == "prompts" else None
    grid = backbone.model_grid(4)
    job = Job("run", sampler, grid, backbone.noise([5]), Steering(condition, backbone.data_variance))
    trace = run([job], backbone.oracle)[0]
    assert trace.finished
    assert len(trace.steps) == len(grid)


@pytest.mark.parametrize("kind", ["ddpm", "sd", "sd3"])
def test_samplers_walk_other_paths(tiny, kind):
    from gensot_demo.transport.paths import CosinePath

    backbone = tiny(kind)
    for path in (CosinePath(), backbone.model_path()):
        grid = backbone.grid(path, 3)
        job = Job("run", heun, grid, backbone.noise([5]), Steering(None, backbone.data_variance))
        assert run([job], backbone.oracle)[0].finished
        assert float(grid.sigma[0]) == pytest.approx(backbone.sigma_range[0])
