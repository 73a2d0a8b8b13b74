"""What our loop costs beside the network: against the bare network, against diffusers, and what joint runs save.

``loop_over_network``: a whole run (planning, noise, guidance, sampler, records) over the very calls of the network that
it makes. A run is taken round by round, and after each round its calls are repeated bare, so that a pair takes a
fraction of a second; the figure is the mean over rounds of the median over repetitions, the larger of unguided and
classifier-free guidance. Aim: 1.03. ``loop_over_diffusers``: a run on a pipeline over the pipeline itself with the same
network, steps, pictures and guidance, without text encoder and decoder; the larger of a pixel and a text model.
Aim: 1. ``batched_over_separate``: one comparison of four methods over four comparisons of one. All with random or
embedded weights; nothing is downloaded. Full-size networks take part where there is a CUDA device.

``*_outside``: time outside the network over time in it, in one and the same run: without the noise of two.
"""

from __future__ import annotations

import random
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from gensot_demo.backbones.base import Backbone
from gensot_demo.backbones.embedded import load_network_backbone
from gensot_demo.backbones.network_oracle import compute_device
from gensot_demo.backbones.pipelines import PipelineBackbone
from gensot_demo.experiments.asking import ask_for
from gensot_demo.experiments.compare import compare
from gensot_demo.experiments.device import TURNSTILE
from gensot_demo.experiments.planning import plans_of
from gensot_demo.experiments.requests import CompareRequest, ConditionChoice, MethodChoice
from gensot_demo.transport.conductor import Round, conduct

from .random_models import (
    PROMPT,
    SMALL_TEXT,
    STABLE_DIFFUSION_15,
    STABLE_DIFFUSION_XL,
    pixel_pipeline,
    text_pipeline,
)
from .report import progress, report

PICTURES, STEPS, REPEATS = 16, 20, 9
PIPELINE_PICTURES, PIPELINE_STEPS, PIPELINE_PAIRS = 4, 8, 15
COMPARED_STEPS, COMPARED_PAIRS = 5, 9
STRENGTH = 3.0
_RESAMPLES = 200


@dataclass(frozen=True)
class Setting:
    """A run to be timed: a model, its network, and what is asked for."""

    backbone: Backbone
    network: nn.Module
    request: CompareRequest
    pictures: int

    def rounds(self) -> Iterator[Round]:
        """The run as a comparison makes it, from the request on; no pictures are decoded."""
        asked = ask_for(self.request, self.backbone)
        plans, _ = plans_of(self.request, asked, self.backbone, tuple(range(self.pictures)))
        jobs = [plan.job for plan in plans]
        for moment in conduct(jobs, self.backbone.oracle, turn=TURNSTILE, max_rows=self.backbone.max_rows):
            failed = [trace.error for trace in moment.traces if trace.error]
            if failed:
                raise RuntimeError(failed[0])
            yield moment

    def run(self) -> None:
        for _ in self.rounds():
            pass

    def alone(self, method: MethodChoice) -> Setting:
        """The same for one of its methods."""
        return replace(self, request=self.request.model_copy(update={"methods": (method,)}))

    @property
    def device(self) -> torch.device:
        return self.backbone.oracle.device


@dataclass
class Watched:
    """Calls of a network: their inputs and the seconds spent in them."""

    calls: list[tuple[tuple, dict[str, Any]]] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def rows(self) -> list[int]:
        """States of each call."""
        return [len(positional[0] if positional else named["sample"]) for positional, named in self.calls]


@contextmanager
def watching(network: nn.Module, device: torch.device) -> Iterator[Watched]:
    """Every call of ``network`` while the context lasts."""
    seen, began = Watched(), 0.0

    def before(_: nn.Module, positional: tuple, named: dict[str, Any]) -> None:
        nonlocal began
        seen.calls.append((positional, named))
        _settle(device)
        began = time.perf_counter()

    def after(*_: Any) -> None:
        _settle(device)
        seen.seconds += time.perf_counter() - began

    hooks = [network.register_forward_pre_hook(before, with_kwargs=True), network.register_forward_hook(after)]
    try:
        yield seen
    finally:
        for hook in hooks:
            hook.remove()


def _settle(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def seconds_of(work: Callable[[], Any], device: torch.device) -> float:
    _settle(device)
    began = time.perf_counter()
    work()
    _settle(device)
    return time.perf_counter() - began


def quartiles(values: Sequence[float]) -> dict[str, float]:
    """Median and quartiles."""
    low, middle, high = statistics.quantiles(values, n=4, method="inclusive")
    return {"median": middle, "low": low, "high": high}


def pairs(first: Callable[[], Any], second: Callable[[], Any], device: torch.device, count: int) -> dict[str, float]:
    """Quartiles of the ratio of their times, taken in turns, each as often before the other as after it."""
    ratios, seconds = [], []
    for n in range(count):
        order = (first, second) if n % 2 == 0 else (second, first)
        taken = {work: seconds_of(work, device) for work in order}
        ratios.append(taken[first] / taken[second])
        seconds.append(taken[first])
    return {**quartiles(ratios), "seconds": statistics.median(seconds)}


def outside(run: Callable[[], Any], network: nn.Module, device: torch.device, repeats: int = 3) -> float:
    """Median of (time outside the network)/(time in it) within one run."""
    shares = []
    for _ in range(repeats):
        with watching(network, device) as seen:
            whole = seconds_of(run, device)
        shares.append(whole / seen.seconds - 1)
    return statistics.median(shares)


def over_network(setting: Setting, repeats: int = REPEATS) -> dict[str, Any]:
    """A run over its own network calls made bare; from low to high are nine of ten resamples of the repetitions."""
    setting.run()  # means and prompts are asked once and kept
    stretches = _stretches(setting)

    def bare(calls: list[tuple[tuple, dict[str, Any]]]) -> None:
        with torch.no_grad():
            for positional, named in calls:
                setting.network(*positional, **named)

    ratios: list[list[float]] = []
    for repeat in range(repeats):
        rounds, found = setting.rounds(), []
        for n, (count, calls) in enumerate(stretches):

            def ours(rounds: Iterator[Round] = rounds, count: int = count) -> None:
                for _ in range(count):
                    next(rounds)

            def theirs(calls: list = calls) -> None:
                bare(calls)

            order = (ours, theirs) if (repeat + n) % 2 == 0 else (theirs, ours)
            taken = {work: seconds_of(work, setting.device) for work in order}
            found.append(taken[ours] / taken[theirs])
        ratios.append(found)

    def figure(chosen: Sequence[Sequence[float]]) -> float:
        return statistics.mean(statistics.median(column) for column in zip(*chosen, strict=True))

    draw = random.Random(0)
    resampled = statistics.quantiles((figure(draw.choices(ratios, k=repeats)) for _ in range(_RESAMPLES)), n=20)
    return {
        "ratio": figure(ratios),
        "low": resampled[0],
        "high": resampled[-1],
        "outside": outside(setting.run, setting.network, setting.device),
        "rows_per_call": len(stretches[-1][1][0][0][0]),
        "pairs": len(stretches) * repeats,
    }


def _stretches(setting: Setting) -> list[tuple[int, list[tuple[tuple, dict[str, Any]]]]]:
    """(rounds, calls of the network in them): a round without a call counts with the next one."""
    found, rounds, known = [], 0, 0
    with watching(setting.network, setting.device) as seen:
        for _ in setting.rounds():
            rounds += 1
            if len(seen.calls) > known:
                found.append((rounds, seen.calls[known:]))
                rounds, known = 0, len(seen.calls)
    return found


def over_diffusers(setting: Setting, pipeline_run: Callable[[], Any], count: int) -> dict[str, float]:
    """A run over the pipeline's own; raises RuntimeError where they do not ask the network for as much."""
    asked = []
    for run in (setting.run, setting.run, pipeline_run):  # the first one also asks for what is then kept
        with watching(setting.network, setting.device) as seen:
            run()
        asked.append(seen.rows)
    if asked[1] != asked[2]:
        raise RuntimeError(f"ours asks the network for {asked[1]} rows, the pipeline for {asked[2]}")
    return {
        **pairs(setting.run, pipeline_run, setting.device, count),
        "outside": outside(setting.run, setting.network, setting.device),
        "diffusers_outside": outside(pipeline_run, setting.network, setting.device),
        "rows_per_call": asked[1][-1],
    }


def embedded(*methods: str, sampler: str = "deterministic") -> Setting:
    """A run of the embedded network."""
    backbone = load_network_backbone()
    request = CompareRequest(
        backbone=backbone.info.name,
        conditions=() if methods == ("unguided",) else (ConditionChoice(name=backbone.condition_names()[0]),),
        methods=tuple(MethodChoice(name=name) for name in methods),
        strength=STRENGTH,
        sampler=sampler,
        steps=STEPS,
    )
    return Setting(backbone, backbone.network.unet, request, PICTURES)


def on_pipeline(pipeline: Any, methods: Sequence[str], pictures: int, steps: int) -> Setting:
    """A run of a pipeline along its own timesteps."""
    backbone = PipelineBackbone(pipeline, name="random")
    request = CompareRequest(
        backbone="random",
        conditions=(ConditionChoice(name=PROMPT),) if backbone.info.asks == "prompts" else (),
        methods=tuple(MethodChoice(name=name) for name in methods),
        strength=STRENGTH,
        sampler="deterministic",
        path="model",
        steps=steps,
    )
    return Setting(backbone, pipeline.unet, request, pictures)


def pixel_run(pipeline: Any, pictures: int, steps: int) -> Callable[[], Any]:
    return lambda: pipeline(
        batch_size=pictures, generator=torch.Generator().manual_seed(0), num_inference_steps=steps, output_type="np"
    )


def text_run(pipeline: Any, pictures: int, steps: int) -> Callable[[], Any]:
    """Classifier-free guidance from encoded prompts to latents."""
    encoded: Sequence[Tensor] = pipeline.encode_prompt(
        PROMPT, device=pipeline.device, num_images_per_prompt=1, do_classifier_free_guidance=True
    )
    names = ("prompt_embeds", "negative_prompt_embeds", "pooled_prompt_embeds", "negative_pooled_prompt_embeds")
    prompts = dict(zip(names, encoded, strict=False))
    return lambda: pipeline(
        **prompts, num_images_per_prompt=pictures, num_inference_steps=steps, guidance_scale=STRENGTH,
        generator=torch.Generator().manual_seed(0), output_type="latent",
    )  # fmt: skip


def four_together() -> dict[str, float]:
    """The page's first comparison over its four methods one after the other, decoding and all."""
    request = CompareRequest.first_view().model_copy(update={"steps": COMPARED_STEPS})
    each = [request.model_copy(update={"methods": (method,)}) for method in request.methods]

    def together() -> None:
        for _ in compare(request):
            pass

    def separate() -> None:
        for one in each:
            for _ in compare(one):
                pass

    separate()
    return pairs(together, separate, compute_device(), COMPARED_PAIRS)


def full_size(
    network: dict[str, Any],
    device: torch.device,
    dtype: torch.dtype,
    *,
    pictures: int = 1,
    steps: int = 10,
    count: int = 5,
) -> dict[str, Any]:
    """A text model of this configuration: seconds a step under classifier-free guidance, the same ratios as for the
    small ones, four methods together over one after the other, and memory (MB, of the device if it has its own)."""
    methods = ("unguided", "conditional", "cfg", "gensot")
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    with tempfile.TemporaryDirectory() as scratch:
        pipeline = text_pipeline(network, device, dtype, Path(scratch))
        four = on_pipeline(pipeline, methods, pictures, steps)
        guided = four.alone(MethodChoice(name="cfg"))
        beside = over_diffusers(guided, text_run(pipeline, pictures, steps), count)
        bare = over_network(guided, count)
    each = [four.alone(choice) for choice in four.request.methods]
    batched = pairs(four.run, lambda: [one.run() for one in each], device, count)
    return {
        "parameters": four.backbone.info.parameters,
        "seconds_per_step": beside["seconds"] / steps,
        "loop_over_network": bare,
        "loop_over_diffusers": beside,
        "batched_over_separate": batched,
        "seconds_per_step_of_four": batched["seconds"] / steps,
        "peak_memory_mb": peak_memory(device),
    }


def peak_memory(device: torch.device) -> float:
    """Most memory held so far in MB: of the CUDA device by tensors, else of the process."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / 1e6
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6


def main() -> None:
    device = compute_device()
    network, figures = {}, {}
    for name in ("unguided", "cfg"):
        network[name] = over_network(embedded(name))
        progress(f"{name} over its network: {network[name]}")
    for sampler in ("averaged", "bridge"):
        setting = embedded("unguided", sampler=sampler)
        network[f"unguided, {sampler}"] = {"outside": outside(setting.run, setting.network, setting.device)}
        progress(f"unguided, {sampler}: {network[f'unguided, {sampler}']}")
    figures["network"] = network

    pictures, steps = PIPELINE_PICTURES, PIPELINE_STEPS
    pipeline = pixel_pipeline().to(device)
    diffusers = {
        "pixels": over_diffusers(
            on_pipeline(pipeline, ["unguided"], pictures, steps),
            pixel_run(pipeline, pictures, steps),
            PIPELINE_PAIRS,
        )
    }
    progress(f"pixel model over its pipeline: {diffusers['pixels']}")
    with tempfile.TemporaryDirectory() as scratch:
        pipeline = text_pipeline(SMALL_TEXT, device, torch.float32, Path(scratch))
        diffusers["text"] = over_diffusers(
            on_pipeline(pipeline, ["cfg"], pictures, steps), text_run(pipeline, pictures, steps), PIPELINE_PAIRS
        )
    progress(f"text model over its pipeline: {diffusers['text']}")
    figures["diffusers"] = diffusers

    figures["compared"] = four_together()
    progress(f"four methods together over one after the other: {figures['compared']}")
    peak = peak_memory(device)
    if device.type == "cuda":
        for name, config in (("sd15", STABLE_DIFFUSION_15), ("sdxl", STABLE_DIFFUSION_XL)):
            figures[name] = full_size(config, device, torch.float16)
            progress(f"{name}: {figures[name]}")
    report(
        {
            "loop_over_network": max(network[name]["ratio"] for name in ("unguided", "cfg")),
            "loop_over_diffusers": max(found["median"] for found in diffusers.values()),
            "batched_over_separate": figures["compared"]["median"],
            "device": torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu",
            "peak_memory_mb": peak,
            "threads": torch.get_num_threads(),
            **figures,
        }
    )


if __name__ == "__main__":
    main()
