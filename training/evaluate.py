"""Measure the exported network: `python -m training.evaluate` reads assets/emoji_network, prints and writes JSON.

* Judge accuracy: the share of conditional samples that the judge gives the class that was asked for, at guidance
  weights 1, 2 and 4, with a binomial standard error, and for each class.
* KID in the judge's features (Binkowski et al., arXiv 1801.01401: squared maximum mean discrepancy with the kernel
  (x.y / d + 1)^3, the unbiased estimate) against the training pictures, both weighted to the law of the classes that
  the network was trained on, with the jackknife's standard error; beside it the same between two halves of the
  training pictures. Samples are drawn class by class, and so is the estimate unbiased class by class: with the usual
  one, two halves with equal numbers of each class come out nearer to each other than zero.
* Memorisation: root mean square distance, in units of the pictures in [-1, 1], of each sample to the nearest training
  picture, mirrored and shifted as in training, against the same for the held-out pictures.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("GOMP_SPINCOUNT", "0")

import argparse
import json
import statistics
import time
from pathlib import Path

import torch
from torch import Tensor

from gensot_demo.backbones.emoji_classifier import load_judge
from gensot_demo.backbones.emoji_network import FOLDER, EmojiNetwork, load_network
from gensot_demo.backbones.judge import Judge
from gensot_demo.transport.distances import kernel_distance
from training.emoji_classes import (
    CLASSES,
    LARGEST_SHIFT,
    NAMES,
    LabelledPictures,
    class_probabilities,
    load_split,
    shift,
)
from training.sampling import sample, save_grid

WEIGHTS = (1.0, 2.0, 4.0)
BATCH = 32
FRESH_EYES = 40


def training_halves(data: LabelledPictures) -> tuple[Tensor, Tensor]:
    """Indices of two disjoint random halves of the pictures, each with half of every class."""
    order = torch.randperm(len(data), generator=torch.Generator().manual_seed(5))
    order = order[data.labels[order].argsort(stable=True)]
    return order[0::2], order[1::2]


def draw_samples(network: EmojiNetwork, labels: Tensor, weight: float, steps: int, seed: int = 0) -> Tensor:
    """Samples (n, 3, 32, 32) of these classes; sample i starts from the i-th noise of the seed whatever the batch."""
    noise = torch.randn(len(labels), 3, 32, 32, generator=torch.Generator().manual_seed(seed))
    parts = [
        sample(network.denoise, wanted, start, null_label=network.null_label, weight=weight, steps=steps)
        for wanted, start in zip(labels.split(BATCH), noise.split(BATCH), strict=True)
    ]
    return torch.cat(parts)


@torch.inference_mode()
def judge_samples(judge: Judge, pictures: Tensor, labels: Tensor) -> dict[str, object]:
    """Accuracy over samples with its standard error, and per class, and how often the judge says none of these."""
    verdicts = judge(pictures).argmax(dim=1)
    right = (verdicts == labels).double()
    share = float(right.mean())
    per_class = {name: round(float(right[labels == label].mean()), 3) for label, name in enumerate(NAMES)}
    return {
        "accuracy": round(share, 4),
        "standard_error": round((share * (1 - share) / len(right)) ** 0.5, 4),
        "per_class": per_class,
        "none_of_these": round(float((verdicts == len(CLASSES)).double().mean()), 4),
    }


def nearest_distances(pictures: Tensor, data: LabelledPictures) -> Tensor:
    """Root mean square distance (n,) to the nearest training picture under the training's mirrors and shifts."""
    flips = torch.tensor([kind.flips for kind in CLASSES])[data.labels]
    originals = torch.cat([data.pictures, data.pictures[flips].flip(3)])
    flat = pictures.flatten(1)
    least = torch.full((len(flat),), torch.inf)
    for down in range(-LARGEST_SHIFT, LARGEST_SHIFT + 1):
        for right in range(-LARGEST_SHIFT, LARGEST_SHIFT + 1):
            moved = shift(originals, torch.tensor([[down, right]]).expand(len(originals), 2)).flatten(1)
            least = torch.minimum(least, torch.cdist(flat, moved).min(dim=1).values)
    return least / flat.shape[1] ** 0.5


def _quantiles(distances: Tensor) -> dict[str, float]:
    return {str(q): round(float(distances.double().quantile(q)), 4) for q in (0.05, 0.25, 0.5, 0.75, 0.95)}


def milliseconds_per_forward(network: EmojiNetwork, pictures: int = 16) -> float:
    """Median over ten forwards of that many pictures, after two to warm up."""
    z, sigma = torch.randn(pictures, 3, 32, 32), torch.ones(pictures)
    labels = torch.zeros(pictures, dtype=torch.int64)
    taken = []
    with torch.inference_mode():
        for _ in range(12):
            start = time.perf_counter()
            network.denoise(z, sigma, labels)
            taken.append(1e3 * (time.perf_counter() - start))
    return round(statistics.median(taken[2:]), 1)


@torch.inference_mode()
def evaluate(folder: Path, per_class: int, steps: int, pictures_out: Path | None) -> dict[str, object]:
    """All figures as one JSON object; grids to `pictures_out` when given."""
    network = load_network(folder)
    judge = load_judge(folder)
    data, held_out = load_split()
    labels = torch.arange(len(CLASSES)).repeat(per_class)
    features = judge.features(data.pictures)
    shares = torch.zeros(len(CLASSES), dtype=torch.float64).index_add_(0, data.labels, class_probabilities(data.labels))
    first, second = training_halves(data)
    halves = kernel_distance(features[first], features[second], data.labels[first], data.labels[second], shares)
    held_out_distances = nearest_distances(held_out.pictures, data)
    threshold = held_out_distances.quantile(0.05)
    report: dict[str, object] = {
        "samples_per_class_and_weight": per_class,
        "sampler": f"deterministic second-order EDM sampler, {steps} steps, {2 * steps - 1} forwards per branch",
        "milliseconds_for_16": milliseconds_per_forward(network),
        "threads": torch.get_num_threads(),
        "judge_on_held_out": judge_samples(judge, held_out.pictures, held_out.labels),
        "kid_between_halves_of_training": [round(v, 5) for v in halves],
        "nearest_training_distance_of_held_out": _quantiles(held_out_distances),
        "weights": {},
    }
    for weight in WEIGHTS:
        samples = draw_samples(network, labels, weight, steps)
        distances = nearest_distances(samples, data)
        discrepancy = kernel_distance(judge.features(samples), features, labels, data.labels, shares)
        report["weights"][str(weight)] = {
            "judge": judge_samples(judge, samples, labels),
            "kid_and_standard_error": [round(v, 5) for v in discrepancy],
            "nearest_training_distance": _quantiles(distances),
            "share_nearer_than_5_percent_of_held_out": round(float((distances < threshold).double().mean()), 4),
            "median_nearest_distance_per_class": {
                name: round(float(distances[labels == label].median()), 4) for label, name in enumerate(NAMES)
            },
        }
        print(json.dumps({weight: report["weights"][str(weight)]}), flush=True)
        if pictures_out is not None:
            save_grid(samples[: 12 * len(CLASSES)], len(CLASSES), pictures_out / f"samples-w{weight:g}.png")
    return report


def draw_fresh_eyes(folder: Path, out: Path, steps: int) -> None:
    """Forty samples at weight 2 of random classes, unlabelled, eight to a row, and the answers beside them as JSON."""
    network = load_network(folder)
    labels = torch.randint(len(CLASSES), (FRESH_EYES,), generator=torch.Generator().manual_seed(11))
    save_grid(draw_samples(network, labels, 2.0, steps, seed=11), 8, out / "fresh-eyes.png", zoom=3)
    answers = [NAMES[label] for label in labels.tolist()]
    (out / "fresh-eyes-asked.json").write_text(json.dumps(answers, indent=2) + "\n", encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=FOLDER)
    parser.add_argument("--per-class", type=int, default=40)
    parser.add_argument("--steps", type=int, default=18)
    parser.add_argument("--pictures", type=Path, help="a folder for grids of samples")
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    if options.pictures is not None:
        options.pictures.mkdir(parents=True, exist_ok=True)
        draw_fresh_eyes(options.folder, options.pictures, options.steps)
    report = evaluate(options.folder, options.per_class, options.steps, options.pictures)
    (options.folder / "evaluation.json").write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
