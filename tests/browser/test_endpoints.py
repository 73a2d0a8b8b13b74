"""The named endpoints, called with the real client as other people's code would."""

import pytest
from gradio_client import Client
from gradio_client.exceptions import AppError

FAST = "follow_average=faces&resolution=32&steps=8&samples=2&method=unguided&method=gensot"


@pytest.fixture(scope="module")
def client(app_url):
    return Client(app_url, verbose=False, httpx_kwargs={"timeout": 60})


def test_compare_returns_pictures_verdict_and_laws(client):
    answer = client.predict(query=FAST, api_name="/compare")
    assert list(answer["methods"]) == ["unguided", "gensot"]
    part = answer["methods"]["gensot"]
    assert len(part["pictures"]) == len(part["nearest"]) == 2
    assert part["pictures"][0].startswith("data:image/png;base64,")
    assert part["calls"] == 9  # the mean, and eight steps
    assert answer["verdict"]
    again = client.predict(query=answer["query"], api_name="/compare")
    assert again["methods"]["gensot"]["pictures"] == part["pictures"]


def test_compare_streams_its_progress(client):
    job = client.submit(query=FAST + "&steps=40&seed=5", api_name="/compare")
    job.result()
    *before, last = job.outputs()
    shares = [answer["done"] for answer in before]
    assert len(shares) >= 4
    assert shares == sorted(shares)
    assert "methods" in last


def test_measure_tells_the_methods_apart(client):
    answer = client.predict(query=FAST + "&view_noise=3", draws=64, api_name="/measure")
    laws = answer["laws"]
    assert laws["gensot"]["distance"] < laws["unguided"]["distance"] - 0.3


def test_the_scoreboard_is_told_with_what_makes_it_believable(client):
    rows = client.predict(backbone="plane", task="follow", api_name="/scoreboard")["rows"]
    assert {row["backbone"] for row in rows} == {"plane"}
    own = next(row for row in rows if row["method"] == "gensot" and row["distance"])
    assert own["floor"] < own["power"]


def test_navigation_is_solved_by_name(client):
    found = client.predict(query="trusts=2,1", api_name="/experts")
    assert round(found["optimum"], 3) == 1.212
    assert sum(found["fused"]["weights"]) == pytest.approx(1)
    learnt = client.predict(query="stiffness=50&pieces=10", api_name="/learn_guide")
    assert learnt["after"]["total"] < learnt["before"]["total"]
    assert len(learnt["guide"]) == 10


def test_pairings_and_gaussian_maps_by_name(client):
    found = client.predict(query="source_angle=46", api_name="/gaussian_maps")
    assert found["commutator"] < 1e-9
    assert found["optimal"] == [pytest.approx(row) for row in found["flow"]]
    query = "target=ring&points=16&updates=50&pairings=independent,whole&seed=2"
    learnt = client.predict(query=query, api_name="/train_pairing")
    assert learnt["cost"]["whole"] == learnt["least"]
    assert learnt["cost"]["independent"] == [4.0]
    assert set(learnt["error"]) == {"independent", "whole"}


def test_heights_are_solved_by_name(client):
    found = client.predict(query="", what="points", api_name="/solve_heights")
    assert round(found["w2"], 4) == 0.4865
    assert found["mass_error"] < 0.02
    assert found["exact"] == pytest.approx(
        [-0.18183, -0.12889, -0.42604, -0.56673, -0.58213, 0.79937, 0.67084, 0.41541], abs=1e-4
    )
    two = client.predict(query="pictures=collection/bandage", what="pictures", api_name="/solve_heights")
    assert len(two["heights"]) == len(two["names"]) == 2
    stored = client.predict(query="pictures=network/clocks", what="stored", api_name="/solve_heights")
    assert stored["mass_error"] < 3 * stored["floor"]


@pytest.mark.parametrize(
    ("endpoint", "arguments", "words"),
    [
        ("/compare", {"query": "steps=1000000000"}, "1000000000"),
        ("/compare", {"query": "condition=zebraz"}, "zebraz"),
        ("/transport", {"query": "steps=1e9"}, "from 2 to 500"),
        ("/failure", {"name": "moon"}, "oversaturation"),
        ("/learn_guide", {"query": "pieces=1"}, "from 2 to 60"),
        ("/train_pairing", {"query": "minibatch=5"}, "Minibatch is 5"),
        ("/gaussian_maps", {"query": "target_x=9"}, "Target x is 9"),
        ("/experts", {"query": "trusts=0,0"}, "nobody is trusted"),
        ("/transport_cells", {"query": "time=0"}, r"at least 0\.1|from 0\.1"),
        ("/solve_heights", {"query": "points=own&own=1,2;1,2"}, "Points 1 and 2 are the same"),
        ("/solve_heights", {"query": "points=random&number=500"}, "from 1 to 200"),
        ("/solve_heights", {"query": "pictures=collection/bandage", "what": "stored"}, "No heights are stored"),
        ("/lagrangian_neurons", {"query": "neurons=5"}, "from 20 to 1000"),
        ("/lagrangian_neurons", {"query": "time=100&step=0.01"}, "10,000 steps"),
        ("/lagrangian_tokens", {"query": "beta=-3"}, "from 0 to 100"),
        ("/measure", {"query": FAST, "draws": -1}, "from 64 to 1024"),
        ("/measure", {"query": FAST, "draws": 10**9}, "from 64 to 1024"),
    ],
)
def test_bad_calls_get_a_sentence(client, endpoint, arguments, words):
    with pytest.raises(AppError, match=words):
        client.predict(**arguments, api_name=endpoint)


def test_only_the_named_endpoints_are_public(client):
    assert set(client.view_api(return_format="dict")["named_endpoints"]) == {
        "/compare",
        "/grid",
        "/measure",
        "/transport",
        "/sequence",
        "/scoreboard",
        "/failure",
        "/inspect",
        "/protocol",
        "/learn_guide",
        "/experts",
        "/adaptive_stiffness",
        "/matrix_stiffness",
        "/schedules",
        "/kinetic_optimal",
        "/speed_accuracy",
        "/train_flow",
        "/later_start",
        "/train_pairing",
        "/gaussian_maps",
        "/transport_cells",
        "/solve_heights",
        "/lagrangian_diffusion",
        "/lagrangian_interpolation",
        "/lagrangian_gradient_flows",
        "/lagrangian_controlled",
        "/lagrangian_neurons",
        "/lagrangian_tokens",
    }


@pytest.mark.parametrize(
    ("name", "query"),
    [
        ("diffusion", "particles=50"), ("interpolation", "particles=50"), ("gradient_flows", "particles=50"),
        ("controlled", "particles=50"), ("neurons", "seed=5"), ("tokens", "tokens=32"),
    ],
)  # fmt: skip
def test_demos_of_the_one_equation_by_name(client, name, query):
    found = client.predict(query=query, api_name=f"/lagrangian_{name}")
    assert found["query"] == f"v=1&{query}"
    moments, particles = len(found["times"]), len(found["clouds"][0]["kinds"])
    positions = found["clouds"][0]["positions"]
    assert (len(positions), len(positions[0])) == (moments, particles)
    assert found["sentences"]
    assert any(term["active"] for term in found["terms"])
    with pytest.raises(AppError):
        client.predict(query="view=sideways", api_name=f"/lagrangian_{name}")
