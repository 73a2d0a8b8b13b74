"""The first noise level of a run: where it starts, what is refused, and that it travels."""

import pytest
from typer.testing import CliRunner

from gensot_demo.cli import app
from gensot_demo.experiments.compare import compare
from gensot_demo.experiments.links import from_query, to_query
from gensot_demo.experiments.requests import CompareRequest, InvalidRequest, MethodChoice, parse


def run(**values):
    methods = (MethodChoice(name="unguided"), MethodChoice(name="gensot"))
    return list(compare(CompareRequest(backbone="truth", steps=4, samples=2, methods=methods, **values)))[-1]


def test_every_method_starts_there():
    assert all(part.levels[0] == pytest.approx(5.0) for part in run(first_noise=5.0).methods.values())
    assert all(part.levels[0] == pytest.approx(80.0) for part in run().methods.values())


@pytest.mark.parametrize("level", [0.01, 90.0])
def test_a_level_that_the_model_does_not_know_is_refused(level):
    with pytest.raises(InvalidRequest, match=r"must be above 0.02 and at most 80, or 0"):
        run(first_noise=level)


def test_the_models_own_timesteps_have_their_own_first_level():
    with pytest.raises(InvalidRequest, match="Choose another path"):
        run(first_noise=5.0, path="model")


@pytest.mark.parametrize("level", [-1.0, 101.0, float("nan")])
def test_a_level_outside_the_range_is_refused(level):
    with pytest.raises(InvalidRequest, match="First noise"):
        parse(CompareRequest, first_noise=level)


def test_it_travels_in_a_link_and_is_left_out_where_it_is_the_models_own():
    request = CompareRequest(first_noise=2.5)
    assert "first_noise=2.5" in to_query(request)[0]
    assert from_query(to_query(request)[0]) == (request, [])
    assert "first_noise" not in to_query(CompareRequest())[0]


def test_the_command_line_takes_it(tmp_path):
    out = tmp_path / "sheet.png"
    options = ["--backbone", "truth", "--method", "unguided", "--steps", "3", "--samples", "1", "--out", str(out)]
    assert CliRunner().invoke(app, ["sample", *options, "--first-noise", "5"]).exit_code == 0
    assert out.is_file()
    refused = CliRunner().invoke(app, ["sample", *options, "--first-noise", "95"])
    assert refused.exit_code == 2
