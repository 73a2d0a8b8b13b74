"""The embedded network's classifiers: the judge of clean pictures, and the noisy one as classifier guidance asks it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from .emoji_network import FOLDER, RESOLUTION
from .heavy_imports import diffusers

if TYPE_CHECKING:
    from .judge import Judge
    from .noisy_classifier import NoisyClassifier


def load_judge(folder: Path = FOLDER) -> Judge:
    """The judge in `folder`, frozen, in evaluation mode: it measures pictures and guides none."""
    diffusers()
    from .judge import Judge

    judge = Judge.from_pretrained(
        Path(folder) / "judge",
        use_safetensors=True,
        low_cpu_mem_usage=False,  # True needs accelerate, which nothing else here does
    )
    return judge.requires_grad_(False).eval()


def load_noisy_classifier(folder: Path = FOLDER) -> NoisyClassifier:
    """The classifier in `folder`, frozen, in evaluation mode."""
    diffusers()
    from .noisy_classifier import NoisyClassifier

    classifier = NoisyClassifier.from_pretrained(
        Path(folder) / "noisy_classifier",
        use_safetensors=True,
        low_cpu_mem_usage=False,  # True needs accelerate, which nothing else here does
    )
    return classifier.requires_grad_(False).eval()


def class_log_likelihoods(
    classifier: NoisyClassifier,
    x: Tensor,
    a: float,
    m: float,
    labels: Sequence[int],
    sigma_min: float,
    sigma_max: float,
) -> Tensor:
    """log p(label | x = a y + m eps) (M, n) for x (n, 3072), differentiable in x; a > 0.

    Below sigma_min the classifier is asked at sigma_min. Above sigma_max it is asked at sigma_max, at the state with
    the same x/m, and its slope in x/m shrinks in proportion to a/m: there log p(c | x) is linear in (a/m) (x/m).
    """
    sigma = m / a
    level = min(max(sigma, sigma_min), sigma_max)
    z = x / a if sigma <= sigma_max else x * (sigma_max / m)
    levels = torch.full((len(x),), level, dtype=torch.float32, device=x.device)
    logits = classifier(z.reshape(-1, 3, RESOLUTION, RESOLUTION).float(), levels)
    log_p = torch.log_softmax(logits, dim=1)[:, list(labels)].T.to(x.dtype)
    if sigma <= sigma_max:
        return log_p
    return log_p.detach() + (sigma_max / sigma) * (log_p - log_p.detach())
