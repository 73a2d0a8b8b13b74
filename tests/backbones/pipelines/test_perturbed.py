"""Perturbed attention on pipelines: offered where the middle of the network has self-attention of its own."""

import pytest
import torch

from gensot_demo.backbones.self_attention import self_attentions
from gensot_demo.transport.oracles import Query


@pytest.mark.parametrize(("kind", "name"), [("ddpm", None), ("dit", "class 3"), ("sd", "a red dog"), ("sdxl", "a cat")])
def test_the_middle_of_the_network_is_perturbed_and_the_network_itself_is_not(tiny, draws, kind, name):
    backbone = tiny(kind)
    condition = None if name is None else backbone.condition(name)
    x = draws(3, backbone.oracle.dimension)
    before = backbone.oracle.predict(x, 0.6, 0.8, condition)
    (answer,) = backbone.oracle.answer([Query(x, 0.6, 0.8, (condition, backbone.perturbed(condition)))])
    plain, perturbed = answer.predicted
    torch.testing.assert_close(plain, before, rtol=1e-4, atol=1e-4)
    assert float((perturbed - plain).abs().max()) > 1e-3
    torch.testing.assert_close(backbone.oracle.predict(x, 0.6, 0.8, condition), before, rtol=0, atol=0)
    network, other = backbone.oracle.denoiser.network, backbone.oracle.variants["perturbed"]().network
    assert all(ours is theirs for ours, theirs in zip(network.parameters(), other.parameters(), strict=True))
    switched = [type(layer.processor).__name__ == "IdentityAttention" for layer in self_attentions(other)]
    assert any(switched)


@pytest.mark.parametrize("kind", ["sd3", "flux"])
def test_joint_attention_is_not_offered(tiny, kind):
    backbone = tiny(kind)
    assert backbone.perturbed is None
    assert backbone.weak is None
    assert backbone.classifier(("a cat",)) is None
