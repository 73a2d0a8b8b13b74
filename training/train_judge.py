"""Train the judge and the noise-aware classifier: `python -m training.train_judge --out assets/emoji_network`.

Both see only pictures that are not held out. The judge is for evaluation, never a guide; it learns "none of these"
from emoji of other kinds and from pictures of the classes cut into blocks and put together in another order: right
colours and textures alone must not pass. The noisy classifier is the guide of classifier guidance. Writes OUT/judge,
OUT/noisy_classifier and OUT/classifiers.json with the held-out accuracies.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("GOMP_SPINCOUNT", "0")

import argparse
import json
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from gensot_demo.backbones.emoji import ASSETS, load_collection
from gensot_demo.backbones.judge import Judge
from gensot_demo.backbones.noisy_classifier import NoisyClassifier
from training.emoji_classes import (
    CLASSES,
    HELD_OUT_SEED,
    HELD_OUT_SHARE,
    NAMES,
    RESOLUTION,
    LabelledPictures,
    class_probabilities,
    draw_batch,
    load_split,
)
from training.train_emoji_network import draw_sigmas

# Groups of the collection with no picture that resembles one of the classes.
OTHER_GROUPS = ("food", "drinks", "places", "transport", "sky", "clothes", "objects", "sport and play")
TABLE_SIGMAS = (0.1, 0.3, 1.0, 3.0, 10.0)
PEAK_RATE = 2e-3


def load_others() -> tuple[Tensor, Tensor]:
    """Pictures of no class in [-1, 1], (n, 3, 32, 32): to train on and held out, by the same share and seed."""
    entries = json.loads((ASSETS / "emoji.json").read_text(encoding="utf-8"))
    taken = torch.cat([part.indices for part in load_split()]).tolist()
    indices = [i for i, entry in enumerate(entries) if entry["group"] in OTHER_GROUPS and i not in set(taken)]
    order = np.random.default_rng(HELD_OUT_SEED).permutation(indices)
    pictures = torch.from_numpy(load_collection(RESOLUTION).pictures[order].copy()).permute(0, 3, 1, 2)
    count = round(HELD_OUT_SHARE * len(order))
    pictures = pictures.float() / 127.5 - 1
    return pictures[count:], pictures[:count]


def scramble(pictures: Tensor, generator: torch.Generator, block: int = 8) -> Tensor:
    """The pictures (b, 3, 32, 32) with their blocks in a random order, another for each picture."""
    count, side = len(pictures), RESOLUTION // block
    blocks = functional.unfold(pictures, block, stride=block)
    order = torch.rand(count, 1, side * side, generator=generator).argsort(dim=2)
    return functional.fold(blocks.gather(2, order.expand_as(blocks)), RESOLUTION, block, stride=block)


def distort(pictures: Tensor, generator: torch.Generator) -> Tensor:
    """Strong augmentation (b, 3, 32, 32) to the same: mirrored, turned up to 20 degrees, scaled by up to 1.2, shifted
    by up to 4 pixels, colours and contrast changed, blurred or noisy in part, a square of 8 pixels missing in part."""
    count = len(pictures)

    def uniform(low: float, high: float, *shape: int) -> Tensor:
        return low + (high - low) * torch.rand(count, *shape, generator=generator)

    angle, scale = uniform(-1, 1) * math.radians(20), uniform(math.log(1 / 1.2), math.log(1.2)).exp()
    mirror = torch.where(uniform(0, 1) < 0.5, -1.0, 1.0)
    rows = torch.stack(
        [
            torch.stack([mirror * angle.cos() / scale, -angle.sin() / scale, uniform(-0.25, 0.25)], dim=1),
            torch.stack([mirror * angle.sin() / scale, angle.cos() / scale, uniform(-0.25, 0.25)], dim=1),
        ],
        dim=1,
    )
    grid = functional.affine_grid(rows, list(pictures.shape), align_corners=False)
    moved = 1 - functional.grid_sample(1 - pictures, grid, align_corners=False)  # white outside
    blurred = functional.avg_pool2d(functional.pad(moved, (1, 1, 1, 1), mode="replicate"), 3, 1)
    moved = torch.where(uniform(0, 1, 1, 1, 1) < 0.2, blurred, moved)
    moved = 1 - (1 - moved) * uniform(0.75, 1.1, 1, 1, 1) * uniform(0.9, 1.1, 3, 1, 1)
    noisy = moved + uniform(0, 0.2, 1, 1, 1) * torch.randn(moved.shape, generator=generator)
    moved = torch.where(uniform(0, 1, 1, 1, 1) < 0.5, noisy, moved)
    across = torch.arange(RESOLUTION)
    corner = torch.randint(-4, RESOLUTION - 4, (count, 2, 1), generator=generator)
    inside = (across >= corner) & (across < corner + 8)
    hole = (inside[:, 0, :, None] & inside[:, 1, None, :] & (uniform(0, 1, 1, 1) < 0.3))[:, None]
    return torch.where(hole, 1.0, moved).clamp(-1, 1)


def _rate(step: int, steps: int) -> float:
    return PEAK_RATE * min((step + 1) / 100, 0.5 * (1 + math.cos(math.pi * step / steps)))


def _optimise(model: nn.Module, steps: int, loss_of_step: Callable[[torch.Generator], Tensor]) -> None:
    """AdamW with a cosine schedule; `loss_of_step(generator)` is the loss of one batch."""
    optimiser = torch.optim.AdamW(model.parameters(), weight_decay=0.05, fused=True)
    for step in range(steps):
        for group in optimiser.param_groups:
            group["lr"] = _rate(step, steps)
        loss = loss_of_step(torch.Generator().manual_seed(step))
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        if (step + 1) % 200 == 0:
            print(json.dumps({type(model).__name__: step + 1, "loss": round(loss.item(), 4)}), flush=True)


def train_judge(data: LabelledPictures, others: Tensor, steps: int) -> Judge:
    """The judge, in evaluation mode. Batches of 64, a quarter of them "none of these".

    Shapes are never scrambled: the blocks of a square are a square in any order.
    """
    torch.manual_seed(1)
    judge = Judge(len(CLASSES))
    weights = class_probabilities(data.labels)
    intricate = torch.nonzero(data.labels != NAMES.index("shapes"))[:, 0]

    def loss_of_step(generator: torch.Generator) -> Tensor:
        chosen = torch.multinomial(weights, 48, replacement=True, generator=generator)
        apart = torch.randint(len(others), (8,), generator=generator)
        broken = intricate[torch.multinomial(weights[intricate], 8, replacement=True, generator=generator)]
        pictures = torch.cat([data.pictures[chosen], others[apart], scramble(data.pictures[broken], generator)])
        labels = torch.cat([data.labels[chosen], torch.full((16,), len(CLASSES))])
        return functional.cross_entropy(judge(distort(pictures, generator)), labels, label_smoothing=0.05)

    _optimise(judge, steps, loss_of_step)
    return judge.eval()


def train_noisy_classifier(data: LabelledPictures, steps: int) -> NoisyClassifier:
    """The noise-aware classifier, in evaluation mode. Augmentation and noise as for the network, batches of 64."""
    torch.manual_seed(2)
    sigma_data = round(float(data.pictures.square().mean().sqrt()), 3)
    classifier = NoisyClassifier(len(CLASSES), sigma_data)

    def loss_of_step(generator: torch.Generator) -> Tensor:
        pictures, labels = draw_batch(data, 64, generator)
        sigmas = draw_sigmas(64, generator)
        noisy = pictures + sigmas[:, None, None, None] * torch.randn(pictures.shape, generator=generator)
        return functional.cross_entropy(classifier(noisy, sigmas), labels)

    _optimise(classifier, steps, loss_of_step)
    return classifier.eval()


@torch.no_grad()
def noisy_accuracies(classifier: NoisyClassifier, data: LabelledPictures) -> dict[str, float]:
    """Accuracy at TABLE_SIGMAS over 20 noise draws of each picture."""
    generator = torch.Generator().manual_seed(3)
    pictures, labels = data.pictures.repeat(20, 1, 1, 1), data.labels.repeat(20)
    table = {}
    for sigma in TABLE_SIGMAS:
        noisy = pictures + sigma * torch.randn(pictures.shape, generator=generator)
        right = classifier(noisy, torch.full((len(noisy),), sigma)).argmax(dim=1) == labels
        table[str(sigma)] = round(float(right.double().mean()), 3)
    return table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--judge-steps", type=int, default=2000)
    parser.add_argument("--noisy-steps", type=int, default=2000)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    data, held_out = load_split()
    others, held_out_others = load_others()

    judge = train_judge(data, others, options.judge_steps)
    judge.save_pretrained(options.out / "judge", safe_serialization=True)
    with torch.no_grad():
        right = judge(held_out.pictures).argmax(dim=1) == held_out.labels
        apart = judge(held_out_others).argmax(dim=1) == len(CLASSES)
        intricate = held_out.pictures[held_out.labels != NAMES.index("shapes")].repeat(10, 1, 1, 1)
        broken = judge(scramble(intricate, torch.Generator().manual_seed(4))).argmax(dim=1) == len(CLASSES)
    report = {
        "judge": {
            "parameters": sum(p.numel() for p in judge.parameters()),
            "steps": options.judge_steps,
            "held_out_accuracy": round(float(right.double().mean()), 3),
            "held_out_pictures": len(held_out),
            "none_of_these_accuracy": round(float(apart.double().mean()), 3),
            "none_of_these_pictures": len(held_out_others),
            "scrambled_held_out_refused": round(float(broken.double().mean()), 3),
        }
    }
    print(json.dumps(report), flush=True)

    classifier = train_noisy_classifier(data, options.noisy_steps)
    classifier.save_pretrained(options.out / "noisy_classifier", safe_serialization=True)
    report["noisy_classifier"] = {
        "parameters": sum(p.numel() for p in classifier.parameters()),
        "steps": options.noisy_steps,
        "held_out_accuracy_at_sigma": noisy_accuracies(classifier, held_out),
        "training_accuracy_at_sigma": noisy_accuracies(classifier, data),
    }
    print(json.dumps(report["noisy_classifier"]), flush=True)
    (options.out / "classifiers.json").write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
