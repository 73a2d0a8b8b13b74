"""From what a person asks to what methods and statistics need: the task in states, and the exact law where known."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray

from gensot_demo.backbones.base import Backbone, UnknownCondition
from gensot_demo.backbones.catalogue import CATALOGUE
from gensot_demo.backbones.embedded import NETWORK_INFO, TRUTH_INFO
from gensot_demo.backbones.emoji import load_collection
from gensot_demo.backbones.errors import BackboneUnavailable
from gensot_demo.guidance.base import Task
from gensot_demo.transport.catalogue import SAMPLERS

from .images import open_upload, resized, to_square
from .law import order_of_likeness
from .requests import CompareRequest, InvalidRequest, PictureChoice
from .success import Success, success
from .wishes import restoring, rewarding, rewards_of

_ORDERING_COORDINATES = 32


@dataclass(frozen=True)
class Asked:
    """A task, the references as pictures, and the exact law over the backbone's pictures that is asked for (n,), or
    None where the backbone's law is not known.

    truth, observed: the picture to restore and what was measured of it, (s, s, 3), or None.
    sentence: of the request's wish, or empty.
    """

    task: Task
    references: tuple[NDArray[np.uint8], ...]
    law: NDArray[np.float64] | None
    truth: NDArray[np.uint8] | None = None
    observed: NDArray[np.uint8] | None = None
    sentence: str = ""

    @property
    def followed(self) -> NDArray[np.float64] | None:
        """The mean of the references by trust (s, s, 3), or None."""
        if not self.references:
            return None
        return np.average(np.stack(self.references).astype(float), axis=0, weights=self.task.reference_trusts)

    def success(self, states: torch.Tensor, pictures: NDArray[np.uint8]) -> tuple[Success, ...]:
        """How well end states (n, d) and their pictures do what was asked; only before :func:`on_cpu`."""
        return success(self.task.wish, self.followed, self.truth, states, pictures)


def load(name: str, resolution: int = 64) -> Backbone:
    """The model of that name; raises InvalidRequest with a sentence when it cannot be had."""
    try:
        return CATALOGUE.load(name, resolution)
    except BackboneUnavailable as error:
        raise InvalidRequest(str(error)) from None


def backbone_of(request: CompareRequest) -> Backbone:
    """The model that a request is for; raises InvalidRequest with a sentence when it cannot be had."""
    return load(request.backbone, request.resolution)


def ask_for(request: CompareRequest, backbone: Backbone, with_law: bool = True) -> Asked:
    """Translate a request; raises InvalidRequest for an unknown condition or emoji, or a law that nothing fulfils.

    with_law: whether the exact law is worked out where it is known.
    """
    side = backbone.info.resolution
    pictures = tuple(picture_of(choice, side, "Picture to follow") for choice in request.references)
    names = [choice.name for choice in request.conditions]
    if backbone.info.asks == "prompts" and not (names or pictures or request.restore or request.reward):
        raise InvalidRequest(f"{backbone.info.label} needs a prompt: say what the picture should show.")
    try:
        conditions = tuple(backbone.condition(name) for name in names)
        backbone.require_law([(choice.name, choice.trust) for choice in request.conditions])
        joint, no_joint = backbone.joint(names)
    except UnknownCondition as error:
        raise InvalidRequest(str(error)) from None
    try:
        negative = backbone.condition(request.negative) if request.negative else None
    except UnknownCondition as error:
        raise InvalidRequest(f"Negative prompt: {error}") from None
    wish, truth, observed = None, None, None
    if request.restore is not None:
        truth = picture_of(request.restore.picture, side, "Picture to restore")
        wish, observed = restoring(request.restore, truth, backbone, request.seed)
    if request.reward is not None:
        try:
            wish = rewarding(request.reward, backbone)
        except UnknownCondition as error:
            raise InvalidRequest(f"Reward: {error}") from None
    classifier = getattr(backbone, "classifier", None)
    task = Task(
        conditions=conditions,
        trusts=tuple(request.strength * choice.trust for choice in request.conditions),
        joint=joint,
        references=tuple(backbone.encode(picture[None])[0] for picture in pictures),
        reference_trusts=tuple(choice.trust for choice in request.references),
        view_noise=request.view_noise,
        stochastic=SAMPLERS[request.sampler].stochastic,
        negative=negative,
        no_joint=no_joint,
        no_null=backbone.no_null,
        wish=wish,
        weak=getattr(backbone, "weak", None),
        perturbed=getattr(backbone, "perturbed", None),
        classifier=classifier(conditions) if classifier is not None and conditions else None,
    )
    law = exact_law(task, backbone) if with_law and backbone.info.exact else None
    return Asked(task, pictures, law, truth, observed, wish.sentence if wish else "")


def truth_request(request: CompareRequest) -> CompareRequest:
    """The same request for the exact oracle; raises InvalidRequest where no exact oracle belongs to the model."""
    if request.backbone != NETWORK_INFO.name:
        raise InvalidRequest(f"Only {NETWORK_INFO.label} has an exact oracle of what it learnt from.")
    return request.model_copy(update={"backbone": TRUTH_INFO.name, "beside": False})


def picture_of(choice: PictureChoice, side: int, which: str) -> NDArray[np.uint8]:
    """The chosen picture (side, side, 3); emoji and averages come from the collection, whatever the backbone.

    Raises InvalidRequest for an unknown or broken one; ``which`` says where it is asked for.
    """
    if choice.png is not None:
        return to_square(open_upload(choice.png), side)
    collection = load_collection(32 if side == 32 else 64)
    try:
        if choice.average is not None:
            picture = collection.average(collection.condition(choice.average).weights)
        else:
            picture = collection.pictures[collection.index_of(choice.emoji)]
    except UnknownCondition as error:
        raise InvalidRequest(str(error)) from None
    except ValueError as error:
        raise InvalidRequest(f"{which}: {error}") from None
    return resized(picture, side)


def on_cpu(asked: Asked) -> Asked:
    """The same with its references on the CPU and without what computes: a finished run that is kept holds neither
    memory of the device nor a model."""
    references = tuple(reference.cpu() for reference in asked.task.references)
    task = replace(asked.task, references=references, wish=None, weak=None, perturbed=None, classifier=None)
    return replace(asked, task=task)


def exact_law(task: Task, backbone: Backbone) -> NDArray[np.float64]:
    """p(i) prod_m p(c_m|i)^{k_m} prod_j N(y_i; r_j, view_noise^2/k_j) e^{r(y_i)}, normalised: what the task asks for
    (n,)."""
    log_law = backbone.oracle.log_prior.double().clone()
    for trust, likelihood in zip(task.trusts, task.conditions, strict=True):
        log_law += trust * likelihood
    if task.view_precision > 0:
        away = (backbone.oracle.points.double() - task.view_mean.double()).square().sum(1)
        log_law -= 0.5 * task.view_precision * away
    if task.wish is not None:
        log_law += rewards_of(task.wish, backbone.oracle.points)
    return torch.softmax(log_law, 0).numpy()


@lru_cache(maxsize=3)
def picture_order(backbone: Backbone) -> NDArray[np.intp]:
    """An exact backbone's pictures in an order that keeps like ones together (n,), for laws too wide to compare one by
    one."""
    with torch.random.fork_rng(devices=[]):  # svd_lowrank starts from global random numbers: the order must not
        torch.manual_seed(0)
        _, _, axes = torch.svd_lowrank(backbone.oracle.points, q=_ORDERING_COORDINATES, niter=4)
    return order_of_likeness((backbone.oracle.points @ axes).numpy().astype(float))
