"""What a judge that guided nobody says of pictures from the network: class, distance to the law asked for, diversity.

The law asked for is that of the network's own training pictures, which is known exactly: the judge's features of a
method's pictures are held against those of exact draws from it (KID, Binkowski et al., arXiv 1801.01401).
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import torch
from torch import Tensor

from gensot_demo.backbones.emoji_classifier import load_judge
from gensot_demo.backbones.judge import Judge
from gensot_demo.experiments.asking import ask_for, backbone_of
from gensot_demo.experiments.law import effective_number
from gensot_demo.experiments.requests import CompareRequest
from gensot_demo.transport.distances import kernel_distance

from .pictures import Judging

_EXACT_DRAWS = 256
_WIDE_ENOUGH = 2.0  # pictures: nothing is as diverse as a law of one


@lru_cache(maxsize=1)
def judging() -> Judging:
    """A function of pixels (n, 3, 32, 32) and the request that they answer; the judge is loaded once."""
    judge = load_judge()

    @torch.no_grad()
    def opinion(pixels: Tensor, request: CompareRequest) -> dict[str, Any]:
        shown = ((pixels.clamp(-1, 1) + 1) * 127.5).round() / 127.5 - 1  # as a person would be shown them
        features, (wanted, width) = judge.features(shown).double(), _exact_features(judge, request)
        kid, kid_error = kernel_distance(features, wanted, *_one_class(features, wanted))
        out = {"kid": kid, "kid_error": kid_error}
        if width > _WIDE_ENOUGH:
            out["diversity"] = _spread(features) / _spread(wanted)
        if request.conditions:
            label = backbone_of(request).label(request.conditions[0].name)
            share = float((judge(shown).argmax(1) == label).double().mean())
            out |= {"accuracy": share, "accuracy_error": (share * (1 - share) / len(shown)) ** 0.5}
        return out

    return opinion


def _exact_features(judge: Judge, request: CompareRequest) -> tuple[Tensor, float]:
    """(features (256, k) of exact draws from the law asked for, how many pictures that law is worth)."""
    request = request.model_copy(update={"backbone": "truth"})
    truth = backbone_of(request)
    law = torch.from_numpy(ask_for(request, truth).law)
    chosen = torch.multinomial(law, _EXACT_DRAWS, replacement=True, generator=torch.Generator().manual_seed(0))
    return judge.features(truth.pixels(truth.oracle.points[chosen])).double(), effective_number(law.numpy())


def _one_class(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    return torch.zeros(len(x), dtype=torch.long), torch.zeros(len(y), dtype=torch.long), torch.ones(1)


def _spread(features: Tensor) -> float:
    """Mean distance between two pictures."""
    return float(torch.pdist(features).mean())
