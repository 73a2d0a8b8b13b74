"""Optimal transport, part Cells, as a visitor uses it."""

from gradio_client import Client


def said(page, selector: str, text: str) -> None:
    page.wait_for_function("([s, t]) => document.querySelector(s)?.innerText.includes(t)", arg=[selector, text])


def opened(page, url: str, query: str = "") -> None:
    page.goto(f"{url}/optimal_transport?{query}" if query else f"{url}/optimal_transport")
    page.wait_for_selector("#flow .main-svg")
    page.wait_for_selector("#decay .main-svg")


def test_the_first_view_has_its_numbers_and_controls_change_them(app_url, page):
    opened(page, app_url)
    said(page, "#tiles", "3.8 %")
    said(page, "#tiles", "W₂² = 0.4865")
    said(page, "#fallen", "stays at 3.8 % however large T is")
    page.get_by_role("spinbutton", name="Time T").fill("0.5")
    page.keyboard.press("Tab")
    said(page, "#verdict", "it cheats")
    page.wait_for_function("location.search.includes('time=0.5')")
    page.get_by_role("button", name="Octagon").click()
    said(page, "#verdict", "Octagon")
    page.wait_for_function("location.search.includes('data=octagon')")
    assert page.console_errors == []


def test_points_of_ones_own_travel_and_bad_links_are_explained(app_url, new_page):
    first, second = new_page(), new_page(width=390, color_scheme="dark")
    opened(first, app_url, "data=drawn&points=-1,0;1,0.5;2,1;0,3&tracers=disagreement")
    said(first, "#verdict", "Your drawing was centred")
    opened(second, app_url, "time=0")
    assert "it must be" in second.inner_text("#notice [role=alert]")
    second.wait_for_function("!location.search.includes('time')")  # the address is of what is shown
    assert second.evaluate("document.documentElement.scrollWidth <= window.innerWidth + 1")
    assert first.console_errors == second.console_errors == []


def test_the_endpoint_gives_the_same_numbers(app_url):
    client = Client(app_url, verbose=False, httpx_kwargs={"timeout": 60})
    found = client.predict("", True, api_name="/transport_cells")
    assert round(found["share_elsewhere"], 3) == 0.038
    assert round(found["w2_squared"], 4) == 0.4865
    assert round(found["decays"]["tail"]["rate"]) == 5
    assert {index for row in found["flow"] for index in row} == set(range(8))


def test_a_change_says_at_once_that_maps_are_computed_and_the_last_one_stays(app_url, page):
    opened(page, app_url)
    page.route("**/gradio_api/**", lambda route: (page.wait_for_timeout(300), route.continue_()))
    page.get_by_role("button", name="Random, n = 24").click()
    said(page, "#status", "Computing both maps…")
    page.get_by_role("button", name="Octagon").click()
    page.wait_for_function("location.search.includes('data=octagon')")
    said(page, "#status", "Octagon, T = 4")
    page.wait_for_timeout(1500)
    said(page, "#status", "Octagon, T = 4")
    assert "data=octagon" in page.url
    assert page.console_errors == []
