"""From what a person asks to what methods and statistics need: the task in coordinates, and the exact law."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray

from gensot_demo.backbones.emoji import Condition, EmptyCondition, combine
from gensot_demo.backbones.pictures import PictureBackbone
from gensot_demo.guidance.base import Task
from gensot_demo.transport.catalogue import SAMPLERS

from .images import open_upload, to_square
from .law import order_of_likeness
from .requests import CompareRequest, InvalidRequest, ReferenceChoice

_ORDERING_COORDINATES = 32


@dataclass(frozen=True)
class Asked:
    """A task, the exact law over pictures that it asks for (n,), and the references as pictures."""

    task: Task
    law: NDArray[np.float64]
    references: tuple[NDArray[np.uint8], ...]


def ask_for(request: CompareRequest, backbone: PictureBackbone) -> Asked:
    """Translate a request; raises InvalidRequest for an unknown condition or emoji, or an empty product."""
    chosen = [(_condition(backbone, choice.name), choice.trust) for choice in request.conditions]
    pictures = tuple(_reference(backbone, choice) for choice in request.references)
    try:
        if chosen:
            combine(chosen)
    except EmptyCondition as error:
        raise InvalidRequest(str(error)) from None
    log_likelihoods = tuple(torch.from_numpy(np.log(condition.weights)) for condition, _ in chosen)
    trusts = tuple(request.strength * trust for _, trust in chosen)
    task = Task(
        conditions=log_likelihoods,
        trusts=trusts,
        joint=torch.stack(log_likelihoods).sum(0) if log_likelihoods else None,
        references=tuple(backbone.encode(picture[None])[0] for picture in pictures),
        reference_trusts=tuple(choice.trust for choice in request.references),
        view_noise=request.view_noise,
        stochastic=SAMPLERS[request.sampler].stochastic,
    )
    return Asked(task, exact_law(task, backbone), pictures)


def exact_law(task: Task, backbone: PictureBackbone) -> NDArray[np.float64]:
    """p(i) prod_m p(c_m|i)^{k_m} prod_j N(y_i; r_j, view_noise^2/k_j), normalised: what the task asks for (n,)."""
    log_law = backbone.oracle.log_prior.double().clone()
    for trust, likelihood in zip(task.trusts, task.conditions, strict=True):
        log_law += trust * likelihood
    if task.view_precision > 0:
        away = (backbone.oracle.points.double() - task.view_mean.double()).square().sum(1)
        log_law -= 0.5 * task.view_precision * away
    return torch.softmax(log_law, 0).numpy()


@lru_cache(maxsize=2)
def picture_order(backbone: PictureBackbone) -> NDArray[np.intp]:
    """The pictures in an order that keeps like ones together (n,), for laws too wide for a comparison one by one."""
    with torch.random.fork_rng(devices=[]):  # svd_lowrank starts from global random numbers: the order must not
        torch.manual_seed(0)
        _, _, axes = torch.svd_lowrank(backbone.oracle.points, q=_ORDERING_COORDINATES, niter=4)
    return order_of_likeness((backbone.oracle.points @ axes).numpy().astype(float))


def _condition(backbone: PictureBackbone, name: str) -> Condition:
    known = backbone.collection.conditions()
    if name not in known:
        from difflib import get_close_matches

        near = get_close_matches(name, known, n=4, cutoff=0.4)
        hint = f"Nearest: {', '.join(near)}." if near else f"Try one of {', '.join(list(known)[:8])}."
        raise InvalidRequest(f"Condition {name[:40]!r} is unknown among {len(known)}. {hint}")
    return known[name]


def _reference(backbone: PictureBackbone, choice: ReferenceChoice) -> NDArray[np.uint8]:
    side = backbone.collection.resolution
    if choice.png is not None:
        return to_square(open_upload(choice.png), side)
    if choice.average is not None:
        weights = _condition(backbone, choice.average).weights
        return backbone.average(weights)
    try:
        return backbone.collection.pictures[backbone.collection.index_of(choice.emoji)]
    except ValueError as error:
        raise InvalidRequest(f"Picture to follow: {error}") from None
