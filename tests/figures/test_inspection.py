"""The figures of one sample show what they are given, and nothing where there is nothing."""

import numpy as np

from gensot_demo.experiments.inspect.guidance_term import GuidanceTerm
from gensot_demo.experiments.inspect.leaving import Leaving
from gensot_demo.experiments.population import Population, genealogy
from gensot_demo.figures.inspection import genealogy_figure, leaving_figure, term_figure

LEVELS = np.array([np.inf, 10.0, 1.0, 0.1])
PICTURES = np.zeros((0, 2, 2, 3), dtype=np.uint8)


def test_the_term_has_a_size_and_a_direction_and_none_where_it_is_nothing():
    cosines = np.array([0.9, 0.5, np.nan, np.nan])
    term = GuidanceTerm(LEVELS, np.array([1.0, 5.0, 2.0, 0.0]), cosines, cosines, "grey levels", (), PICTURES, 1.0)
    figure = term_figure("cfg", term)
    assert [one["name"] for one in figure["data"]][1:] == ["cosine with: the finished picture", "the picture asked for"]
    assert figure["data"][0]["y"].tolist() == [5.0, 2.0, 0.0]  # infinite noise has no place on a logarithmic axis
    assert "Largest: 5.0 at noise level 10" in figure["layout"]["meta"]["description"]
    nothing = GuidanceTerm(LEVELS, np.zeros(4), cosines, None, "grey levels", (), PICTURES, 1.0)
    assert term_figure("unguided", nothing) is None


def test_the_marker_is_where_the_path_was_left():
    levels = np.array([10.0, 1.0, 0.1, 0.0])
    left = Leaving(levels, np.array([0.0, 1.0, 30.0, 50.0]), np.ones(4), "grey levels", PICTURES, None, False)
    *_, marker = leaving_figure("cfg", left)["data"]
    assert (marker["name"], marker["x"], marker["y"]) == ("left here", [0.1], [30.0])
    never = Leaving(levels, np.zeros(4), np.ones(4), "grey levels", PICTURES, None, False)
    assert len(leaving_figure("cfg", never)["data"]) == 2


def test_every_link_of_the_tree_is_drawn_once():
    parents = np.array([[1, 1, 2]])
    population = Population(np.zeros((3, 1, 3)), ((0, parents),), np.array([0]))
    died, living, line, share, *rest = genealogy_figure("gensot", genealogy(population, [0, 1, 2], 0))["data"]
    assert len(died["x"]) == 0
    assert len(living["x"]) == 3 * 3 * 2  # three numbers a link, three particles, two moments
    assert line["y"].tolist() == [2, 1, 1]
    assert share["y"].tolist() == [1, 1, 1]
    assert rest == []
