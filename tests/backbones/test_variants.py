"""The embedded network's worse selves and its classifier: what they answer; the network itself is untouched."""

from __future__ import annotations

import copy
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
import torch

from gensot_demo.backbones.embedded import NetworkBackbone, load_truth_backbone
from gensot_demo.backbones.emoji_classifier import load_noisy_classifier
from gensot_demo.backbones.emoji_network import EmojiDenoiser, load_network
from gensot_demo.backbones.network_oracle import NetworkOracle
from gensot_demo.backbones.once import Once
from gensot_demo.backbones.pictures import load_picture_backbone
from gensot_demo.backbones.self_attention import self_attentions
from gensot_demo.guidance.base import BoundMethod, Task
from gensot_demo.guidance.registry import BUILT_IN
from gensot_demo.transport.catalogue import SAMPLERS
from gensot_demo.transport.conductor import Job, run
from gensot_demo.transport.oracles import Query, Variant
from gensot_demo.transport.paths import CosinePath

FAMILY = [kind for kind in BUILT_IN if kind.family == "Conditions"]


@pytest.fixture(scope="module")
def network():
    return NetworkBackbone()


@pytest.fixture(scope="module")
def noisy(network):
    pictures = network.trained_on.points[::150]
    return pictures + 1.5 * torch.randn(pictures.shape, generator=torch.Generator().manual_seed(0))


def test_each_kind_is_answered_by_its_own_network_in_one_joint_forward(network, noisy):
    label = network.condition("faces")
    conditions = (None, network.weak(label), label, network.perturbed(label), network.weak(None))
    (answer,) = network.oracle.answer([Query(noisy, 1.0, 1.5, conditions)])
    free, weak, plain, perturbed, weak_free = answer.predicted
    alone = NetworkOracle(EmojiDenoiser(load_network()))
    early = NetworkOracle(EmojiDenoiser(load_network(early=True)))
    for found, oracle, condition in (
        (free, alone, None),
        (plain, alone, label),
        (weak, early, label),
        (weak_free, early, None),
    ):
        torch.testing.assert_close(found, oracle.predict(noisy, 1.0, 1.5, condition), rtol=0, atol=2e-5)
    for other in (weak, perturbed):
        assert float((other - plain).square().mean().sqrt()) > 0.05
    again = network.oracle.predict(noisy, 1.0, 1.5, label)
    torch.testing.assert_close(again, alone.predict(noisy, 1.0, 1.5, label), rtol=0, atol=0)


def test_the_identity_map_is_that_of_the_diffusers_processor(network, noisy):
    """Whose processor answers the second half of a batch without attention."""
    from diffusers.models.attention_processor import PAGIdentitySelfAttnProcessor2_0

    label = network.condition("flags")
    found = network.oracle.predict(noisy, 1.0, 1.5, network.perturbed(label))
    unet = copy.deepcopy(network.network.unet)
    layers = self_attentions(unet)
    assert len(layers) == 7
    for layer in layers:
        layer.set_processor(PAGIdentitySelfAttnProcessor2_0())
    with torch.no_grad():
        pictures, count = noisy.reshape(-1, 3, 32, 32), len(noisy)
        network_of = type(network.network)(
            unet, *(getattr(network.network, n) for n in ("classes", "sigma_data")), 0, 1
        )
        both = network_of.denoise(
            torch.cat([pictures, pictures]), torch.full((2 * count,), 1.5), torch.full((2 * count,), label)
        )
    torch.testing.assert_close(found, both[count:].flatten(1), rtol=0, atol=2e-5)
    torch.testing.assert_close(
        network.oracle.predict(noisy, 1.0, 1.5, label), both[:count].flatten(1), rtol=0, atol=2e-5
    )


def test_the_perturbed_network_holds_no_weights_of_its_own(network, noisy):
    network.oracle.predict(noisy[:1], 1.0, 1.5, network.perturbed(None))
    other = network.oracle.variants["perturbed"]().network.unet
    assert other is not network.network.unet
    for ours, theirs in zip(network.network.unet.parameters(), other.parameters(), strict=True):
        assert ours is theirs
    kinds = {type(layer.processor).__name__ for layer in self_attentions(network.network.unet)}
    assert "IdentityAttention" not in kinds


def test_variants_have_gradients_means_and_both_ends_of_the_range(network, noisy):
    weak = network.weak(network.condition("faces"))
    x = noisy[:2]
    (answer,) = network.oracle.answer([Query(x, 1.0, 1.5, (weak,), lambda predicted: predicted[0])])
    assert answer.pullback.dtype == torch.float32
    assert bool(torch.isfinite(answer.pullback).all())
    for a, m in ((0.0, 1.0), (1e-4, 1.0), (1.0, 1e-4), (1.0, 0.0)):
        assert bool(torch.isfinite(network.oracle.predict(x, a, m, weak)).all())
    assert {weak: 1}[Variant("weak", network.condition("faces"))] == 1


def test_threads_that_come_first_together_get_one_network():
    made, ready = [], Barrier(6)
    once = Once(lambda: made.append(object()) or made[-1])

    def first(_):
        ready.wait()
        return once()

    with ThreadPoolExecutor(6) as pool:
        found = list(pool.map(first, range(6)))
    assert len(made) == 1
    assert set(map(id, found)) == {id(made[0])}


def test_runs_at_the_same_time_do_not_disturb_one_another(network, noisy):
    label = network.condition("faces")
    kinds = [label, network.weak(label), network.perturbed(label)] * 3
    alone = [network.oracle.predict(noisy[:2], 1.0, 1.5, kind) for kind in kinds[:3]]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda kind: network.oracle.predict(noisy[:2], 1.0, 1.5, kind), kinds))
    for n, answer in enumerate(found):
        torch.testing.assert_close(answer, alone[n % 3], rtol=0, atol=0)


@pytest.mark.parametrize("kind", FAMILY)
def test_methods_run_on_the_network_at_absurd_strength_and_leave_it_frozen(network, kind):
    names, trusts = ("faces", "hearts"), (50.0, 25.0)
    conditions = tuple(network.condition(name) for name in names)
    task = Task(
        conditions=conditions,
        trusts=trusts,
        joint=conditions[0],
        weak=network.weak,
        perturbed=network.perturbed,
        classifier=network.classifier(conditions),
        stochastic=True,
    )
    method, noise = kind(), network.noise([1, 2])
    assert method.unavailable(task) is None
    bound = BoundMethod(method, task, noise.seeds, network.data_variance)
    grid = network.grid(CosinePath(), 3)
    (trace,) = run([Job(method.name, SAMPLERS["averaged"].run, grid, noise, bound)], network.oracle)
    assert bool(torch.isfinite(trace.end).all())
    assert trace.end.dtype == torch.float32
    assert not trace.end.requires_grad
    assert trace.evaluations == method.calls(task)[0] * trace.rounds * trace.rows
    unets = [network.network.unet, network.oracle.variants["weak"]().network.unet]
    parameters = [p for unet in unets for p in unet.parameters()] + list(network._noisy_classifier().parameters())
    assert not any(p.requires_grad or p.grad is not None for p in parameters)


# Classifiers


def test_the_networks_classifier_is_its_noisy_one(network, noisy):
    labels = [network.condition(name) for name in ("faces", "flags")]
    found = network.classifier(labels)(0.5 * noisy, 0.5, 0.75)
    with torch.no_grad():
        logits = load_noisy_classifier()(noisy.reshape(-1, 3, 32, 32), torch.full((len(noisy),), 1.5))
    torch.testing.assert_close(found, logits.log_softmax(1)[:, labels].T, rtol=0, atol=1e-5)
    assert network.classifier(()) is None


def test_beyond_its_range_the_classifiers_pull_stays_what_it_is_at_the_edge(network, noisy):
    """(m^2/a) grad log p at the same x/m, from the noisiest level on up to no signal at all."""
    classifier, high = network.classifier([0]), network.network.sigma_max
    u = torch.randn(3, 3072, generator=torch.Generator().manual_seed(1))

    def pull(sigma: float) -> torch.Tensor:
        x = (sigma * u).requires_grad_(True)
        (slope,) = torch.autograd.grad(classifier(x, 1.0, sigma).sum(), x)
        return sigma**2 * slope

    edge = pull(high * (1 - 1e-6))
    assert float(edge.square().mean().sqrt()) > 0.01
    for sigma in (high * (1 + 1e-6), 10 * high, 1e6):
        torch.testing.assert_close(pull(sigma), edge, rtol=1e-3, atol=1e-4)
    low = torch.autograd.functional.jacobian(lambda x: classifier(x, 1.0, 1e-5), noisy[:1])
    assert bool(torch.isfinite(low).all())


@pytest.mark.parametrize("load", [load_truth_backbone, lambda: load_picture_backbone(32)], ids=["truth", "collection"])
def test_exact_backbones_know_their_classifier(load):
    backbone = load()
    assert backbone.weak is None
    assert backbone.perturbed is None
    names = backbone.condition_names()[:2]
    conditions = tuple(backbone.condition(name) for name in names)
    oracle, a, m = backbone.oracle, 1.0, 2.0
    generator = torch.Generator().manual_seed(0)
    x = oracle.points[:3] + m * torch.randn(3, oracle.dimension, generator=generator)
    found = backbone.classifier(conditions)(x, a, m)
    chances = torch.stack([torch.logsumexp(oracle.log_prior + c, 0) for c in conditions]).to(found)
    marginals = torch.stack([oracle.log_marginal(x, a, m, c) - oracle.log_marginal(x, a, m) for c in conditions])
    torch.testing.assert_close(found, marginals + chances[:, None], rtol=0, atol=0.05)  # of sums in the thousands
    leaf = x.clone().requires_grad_(True)
    (slope,) = torch.autograd.grad(backbone.classifier(conditions)(leaf, a, m)[0].sum(), leaf)
    shift = oracle.predict(x, a, m, conditions[0]) - oracle.predict(x, a, m)
    torch.testing.assert_close(m * m / a * slope, shift, rtol=0, atol=1e-3)
    assert backbone.classifier(()) is None
