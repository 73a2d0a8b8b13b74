"""Train the embedded network: `python -m training.train_emoji_network --out FOLDER`.

Runs until --steps or until it is interrupted, and goes on from FOLDER/checkpoint.pt when that exists. Every batch is
drawn from a generator seeded by (seed, step): a resumed run meets the same batches as an uninterrupted one.

The loss is that of arXiv 2206.00364 (EDM), eq. 8, with weight 1 / c_out^2: the mean squared error of the UNet's own
output, of order one at every sigma. sigma is log-normal for four fifths of a batch and log-uniform over
[.01, 80] for the rest, both stratified over the batch: the first is where pictures take form, the second keeps the ends
right, where GenSOT starts and stops. An eighth of the labels becomes the null class (arXiv 2207.12598).

FOLDER gets checkpoint.pt (atomically replaced), log.jsonl (a line per 100 steps), grid-STEP.png (a column per class, a
third of the rows with guidance weight 1, the others 2), ema-STEP.safetensors at SNAPSHOTS.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # spinning threads take what others on the machine could use
os.environ.setdefault("GOMP_SPINCOUNT", "0")

import argparse
import copy
import json
import math
import time
from dataclasses import dataclass
from pathlib import Path

import torch
from diffusers import UNet2DModel
from safetensors.torch import save_file
from torch import Tensor, nn

from gensot_demo.backbones.emoji_network import denoise
from training.emoji_classes import CLASSES, NULL_LABEL, LabelledPictures, draw_batch, load_split
from training.sampling import SIGMA_MAX, SIGMA_MIN, sample, save_grid

SNAPSHOTS = (300, 500, 750, 1000, 1500, 2000, 2500, 3000, 4000, 5000, 6000, 8000, 10000, 15000, 20000, 30000)
LOG_MEAN, LOG_DEVIATION, LOG_UNIFORM_SHARE = -0.6, 1.3, 0.2
NULL_SHARE = 0.125
WARM_UP, DECAY_FROM = 200, 4000
LONGEST_HALF_LIFE, HALF_LIFE_SHARE = 800, 0.05
LOG_EVERY = 100
LONGEST_STEP = 30.0


@dataclass
class TrainingState:
    """What a checkpoint holds: the step about to be taken, the network, its moving average, the optimiser."""

    step: int
    unet: UNet2DModel
    average: UNet2DModel
    optimiser: torch.optim.Optimizer
    seconds: float


def build_unet() -> UNet2DModel:
    """The architecture: 12 channels at 16 x 16, three levels, attention at 8 x 8 and 4 x 4; initialised for training.

    Residual branches and the output start at zero. The first layer of the noise embedding starts as random features
    that bend inside the range of ln(sigma) / 4; the default initialisation is nearly constant there.
    """
    unet = UNet2DModel(
        sample_size=16,
        in_channels=12,
        out_channels=12,
        block_out_channels=(64, 128, 128),
        layers_per_block=1,
        down_block_types=("DownBlock2D", "AttnDownBlock2D", "AttnDownBlock2D"),
        up_block_types=("AttnUpBlock2D", "AttnUpBlock2D", "UpBlock2D"),
        attention_head_dim=64,
        norm_num_groups=32,
        num_class_embeds=len(CLASSES) + 1,
        resnet_time_scale_shift="scale_shift",
    )
    with torch.no_grad():
        unet.conv_out.weight.zero_()
        for name, module in unet.named_modules():
            if name.endswith("conv2") or name.endswith("to_out.0"):
                module.weight.zero_()
        first = unet.time_embedding.linear_1
        first.weight.mul_(6)
        first.bias.uniform_(-3, 3)
    return unet


def draw_sigmas(count: int, generator: torch.Generator) -> Tensor:
    """Noise levels (count,) in random order: log-normal and log-uniform strata, clamped to [SIGMA_MIN, SIGMA_MAX]."""
    uniform_count = round(LOG_UNIFORM_SHARE * count)
    normal_count = count - uniform_count
    normal = (torch.arange(normal_count) + torch.rand(normal_count, generator=generator)) / normal_count
    uniform = (torch.arange(uniform_count) + torch.rand(uniform_count, generator=generator)) / uniform_count
    logs = torch.cat(
        [
            LOG_MEAN + LOG_DEVIATION * torch.special.ndtri(normal.clamp(1e-6, 1 - 1e-6)),
            math.log(SIGMA_MIN) + math.log(SIGMA_MAX / SIGMA_MIN) * uniform,
        ]
    )
    return logs.exp().clamp(SIGMA_MIN, SIGMA_MAX)[torch.randperm(count, generator=generator)]


def squared_errors(
    unet: nn.Module, pictures: Tensor, labels: Tensor, sigmas: Tensor, noise: Tensor, sigma_data: float
) -> Tensor:
    """Weighted squared error per picture (b,): mean over values of |D - y|^2 / c_out^2."""
    predicted = denoise(unet, pictures + sigmas[:, None, None, None] * noise, sigmas, labels, sigma_data)
    weights = (sigmas**2 + sigma_data**2) / (sigmas * sigma_data) ** 2
    return weights * (predicted - pictures).square().mean(dim=(1, 2, 3))


def training_loss(
    unet: nn.Module, data: LabelledPictures, batch: int, sigma_data: float, generator: torch.Generator
) -> Tensor:
    """The loss of one random batch, a scalar."""
    pictures, labels = draw_batch(data, batch, generator)
    labels = torch.where(torch.rand(batch, generator=generator) < NULL_SHARE, NULL_LABEL, labels)
    noise = torch.randn(pictures.shape, generator=generator)
    return squared_errors(unet, pictures, labels, draw_sigmas(batch, generator), noise, sigma_data).mean()


@torch.no_grad()
def held_out_loss(unet: nn.Module, held_out: LabelledPictures, sigma_data: float) -> float:
    """The loss on the held-out pictures, always with the same noise, four draws of each."""
    generator = torch.Generator().manual_seed(1)
    pictures, labels = held_out.pictures.repeat(4, 1, 1, 1), held_out.labels.repeat(4)
    noise = torch.randn(pictures.shape, generator=generator)
    sigmas = draw_sigmas(len(labels), generator)
    return float(squared_errors(unet, pictures, labels, sigmas, noise, sigma_data).mean())


def learning_rate(step: int, peak: float) -> float:
    """Linear warm-up, constant, then falling as the inverse square root: the length of a run need not be known."""
    return peak * min((step + 1) / WARM_UP, 1.0, math.sqrt(DECAY_FROM / max(step, 1)))


@torch.no_grad()
def update_average(average: nn.Module, unet: nn.Module, step: int) -> None:
    """Exponential moving average whose half-life is a twentieth of the steps so far, 800 at most."""
    half_life = max(min(HALF_LIFE_SHARE * step, LONGEST_HALF_LIFE), 1.0)
    rate = 1 - 0.5 ** (1 / half_life)
    torch._foreach_lerp_(list(average.parameters()), list(unet.parameters()), rate)


def save_checkpoint(state: TrainingState, sigma_data: float, path: Path) -> None:
    """Write to a neighbour and rename, so that an interruption leaves the old checkpoint or the new one."""
    partial = path.with_suffix(".partial")
    torch.save(
        {
            "step": state.step,
            "seconds": state.seconds,
            "sigma_data": sigma_data,
            "unet": state.unet.state_dict(),
            "average": state.average.state_dict(),
            "optimiser": state.optimiser.state_dict(),
        },
        partial,
    )
    partial.replace(path)


def start_or_resume(path: Path, seed: int) -> TrainingState:
    """A new state from the seed, or the one in the checkpoint at `path`."""
    torch.manual_seed(seed)
    unet = build_unet()
    average = copy.deepcopy(unet).requires_grad_(False).eval()
    optimiser = torch.optim.AdamW(unet.parameters(), lr=1e-3, betas=(0.9, 0.99), weight_decay=0.01, fused=True)
    state = TrainingState(0, unet, average, optimiser, 0.0)
    if path.exists():
        saved = torch.load(path, map_location="cpu", weights_only=True)
        unet.load_state_dict(saved["unet"])
        average.load_state_dict(saved["average"])
        optimiser.load_state_dict(saved["optimiser"])
        state.step, state.seconds = saved["step"], saved["seconds"]
    return state


def draw_grid(average: nn.Module, sigma_data: float, path: Path) -> None:
    """Six rows from the same noise at every step of the training, a column per class; rows 1-2 at w = 1, 3-6 at 2."""
    count = len(CLASSES)
    noise = torch.randn(6 * count, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    labels = torch.arange(count).repeat(6)

    def denoiser(z: Tensor, sigma: Tensor, wanted: Tensor) -> Tensor:
        return denoise(average, z, sigma, wanted, sigma_data)

    weak, strong = (
        sample(denoiser, labels[rows], noise[rows], null_label=NULL_LABEL, weight=weight, steps=12)
        for rows, weight in ((slice(0, 2 * count), 1.0), (slice(2 * count, None), 2.0))
    )
    save_grid(torch.cat([weak, strong]), count, path)


def train(
    out: Path, *, steps: int, batch: int, peak_rate: float, seed: int, save_seconds: float, grid_every: int
) -> None:
    """Train from the checkpoint in `out`, or from the start, to `steps`."""
    data, held_out = load_split()
    sigma_data = round(float(data.pictures.square().mean().sqrt()), 3)
    out.mkdir(parents=True, exist_ok=True)
    checkpoint = out / "checkpoint.pt"
    state = start_or_resume(checkpoint, seed)
    saved_at = mark = time.monotonic()
    total, counted = 0.0, 0
    while state.step < steps:
        generator = torch.Generator().manual_seed(seed * 1_000_000_007 + state.step)
        for group in state.optimiser.param_groups:
            group["lr"] = learning_rate(state.step, peak_rate)
        loss = training_loss(state.unet, data, batch, sigma_data, generator)
        state.optimiser.zero_grad()
        loss.backward()
        norm = nn.utils.clip_grad_norm_(state.unet.parameters(), 1.0)
        if not torch.isfinite(norm):
            raise FloatingPointError(f"gradient is {norm} at step {state.step}; the last checkpoint is intact")
        state.optimiser.step()
        state.step += 1
        update_average(state.average, state.unet, state.step)
        total, counted = total + loss.item(), counted + 1
        now = time.monotonic()
        state.seconds += min(now - mark, LONGEST_STEP)  # a suspended process does not train
        mark = now
        if state.step % LOG_EVERY == 0:
            entry = {
                "step": state.step,
                "loss": round(total / counted, 5),
                "held_out_loss": round(held_out_loss(state.average, held_out, sigma_data), 5),
                "gradient_norm": round(float(norm), 4),
                "hours": round(state.seconds / 3600, 4),
            }
            with (out / "log.jsonl").open("a", encoding="utf-8") as log:
                log.write(json.dumps(entry) + "\n")
            print(json.dumps(entry), flush=True)
            total, counted = 0.0, 0
        if state.step in SNAPSHOTS:
            save_file(state.average.state_dict(), out / f"ema-{state.step}.safetensors")
        if state.step % grid_every == 0:
            draw_grid(state.average, sigma_data, out / f"grid-{state.step:06d}.png")
        if now - saved_at > save_seconds or state.step == steps:
            save_checkpoint(state, sigma_data, checkpoint)
            saved_at = now


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=1_000_000)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--peak-rate", type=float, default=1e-3)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--save-seconds", type=float, default=120.0)
    parser.add_argument("--grid-every", type=int, default=500)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    train(
        options.out,
        steps=options.steps,
        batch=options.batch,
        peak_rate=options.peak_rate,
        seed=options.seed,
        save_seconds=options.save_seconds,
        grid_every=options.grid_every,
    )


if __name__ == "__main__":
    main()
