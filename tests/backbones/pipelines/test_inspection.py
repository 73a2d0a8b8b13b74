"""The story of a sample of a pipeline: what nobody knows of it is said, and the rest is told."""

import numpy as np
import pytest

from gensot_demo.backbones.catalogue import CATALOGUE
from gensot_demo.experiments.compare import compare
from gensot_demo.experiments.inspect import told
from gensot_demo.experiments.inspect.run import inspect
from gensot_demo.experiments.requests import CompareRequest, ConditionChoice, MethodChoice, ReferenceChoice
from gensot_demo.figures.component import figure_json
from gensot_demo.figures.inspection import genealogy_figure, leaving_figure, own_energy_figure, term_figure


@pytest.mark.parametrize("path", ["cosine", "model"])
@pytest.mark.parametrize(
    ("kind", "names", "unit"),
    [
        ("ddpm", [], "grey levels"),
        ("dit", ["class 3"], "latent units"),
        ("sd", ["a red dog"], "latent units"),
        ("flux-distilled", ["a red dog"], "latent units"),
    ],
)
def test_a_story_of_every_method(tiny, monkeypatch, kind, names, unit, path):
    backbone = tiny(kind)
    monkeypatch.setattr(CATALOGUE, "load", lambda name, resolution=64: backbone)
    steering = MethodChoice(name="fk_steering", settings={"particles": 3})
    request = CompareRequest(
        backbone=kind,
        conditions=tuple(ConditionChoice(name=name) for name in names),
        references=(ReferenceChoice(average="faces"),),
        samples=2,
        steps=4,
        path=path,
        methods=(*(MethodChoice(name=name) for name in ("unguided", "cfg", "dps", "gensot")), steering),
    )
    *_, result = compare(request)
    for method, part in result.methods.items():
        *_, found = inspect(result, method, 1)
        assert found.complete
        assert found.neighbours is None
        assert "Nobody here knows" in told.about_neighbours(found)
        assert found.term.unit == found.leaving.unit == unit
        assert np.isfinite(found.term.size).all()
        assert np.isfinite(found.leaving.states).all()
        assert told.summary(found)
        assert (found.genealogy is None) == (part.particles == 1)
        figures = [
            term_figure(method, found.term),
            leaving_figure(method, found.leaving),
            own_energy_figure(method, {name: name for name in result.methods}, found.energies),
            found.genealogy and genealogy_figure(method, found.genealogy),
        ]
        for figure in figures:
            assert figure is None or "NaN" not in figure_json(figure)
    assert "Nothing guided" in told.summary(list(inspect(result, "unguided", 0))[-1])
