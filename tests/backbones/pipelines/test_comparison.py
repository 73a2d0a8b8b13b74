"""A whole comparison on a pipeline: every method, along a shared path and along the model's own."""

import numpy as np
import pytest

from gensot_demo.backbones.catalogue import CATALOGUE
from gensot_demo.experiments.compare import compare
from gensot_demo.experiments.requests import CompareRequest, ConditionChoice, MethodChoice, ReferenceChoice

METHODS = ("unguided", "conditional", "cfg", "sdedit", "dps", "gensot")


@pytest.mark.parametrize("path", ["cosine", "model"])
@pytest.mark.parametrize(
    ("kind", "names"),
    [("ddpm", []), ("dit", ["class 3"]), ("sd", ["a red dog", "a blue house"]), ("flux-distilled", ["a red dog"])],
)
def test_compare(tiny, monkeypatch, kind, names, path):
    backbone = tiny(kind)
    monkeypatch.setattr(CATALOGUE, "load", lambda name, resolution=64: backbone)
    request = CompareRequest(
        backbone=kind,
        conditions=tuple(ConditionChoice(name=name) for name in names),
        references=(ReferenceChoice(average="faces"),),
        samples=2,
        steps=3,
        path=path,
        methods=tuple(MethodChoice(name=name) for name in METHODS),
    )
    result = list(compare(request))[-1]
    missing = set(METHODS) - result.methods.keys()
    needs_condition = set() if names else {"cfg", "conditional"}
    assert missing == needs_condition | ({"cfg", "gensot"} if backbone.no_null else set())
    assert not any("ended early" in note for note in result.notes)
    side = backbone.info.resolution
    pictures = {name: method.pictures for name, method in result.methods.items()}
    assert all(picture.shape == (2, side, side, 3) for picture in pictures.values())
    if names:
        assert not np.array_equal(pictures["unguided"], pictures["conditional"])
