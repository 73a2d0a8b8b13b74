"""Kinetic-optimal paths as a visitor uses them."""

from gradio_client import Client


def said(page, selector: str, text: str) -> None:
    page.wait_for_function("([s, t]) => document.querySelector(s)?.innerText.includes(t)", arg=[selector, text])


def opened(page, url: str, query: str = "") -> None:
    page.goto(f"{url}/kinetic_optimal?{query}" if query else f"{url}/kinetic_optimal")
    page.wait_for_selector("#energies .main-svg")
    said(page, "#status", "closed form")


def test_the_first_view_has_its_numbers_and_a_button_changes_the_data(app_url, page):
    opened(page, app_url)
    said(page, "#verdict", "The cheapest path costs 0.4")
    said(page, "#check", "agrees with the closed form to")
    said(page, "#swept", "64 points")
    page.get_by_role("button", name="Ring of eight").click()
    said(page, "#verdict", "Ring of eight")
    page.wait_for_function("location.search.includes('data=ring')")
    clips = "[...document.querySelectorAll('#speed [clip-path]')].map((part) => part.getAttribute('clip-path'))"
    assert all(clip.startswith("url(#") for clip in page.evaluate(clips))  # else lost when the address changes
    page.get_by_role("spinbutton", name="Random points n").fill("8")
    page.keyboard.press("Tab")
    said(page, "#swept", "8 points")
    assert page.console_errors == []


def test_a_schedule_of_ones_own_travels_and_one_that_turns_back_is_explained(app_url, new_page):
    first, second = new_page(), new_page(width=390, color_scheme="dark")
    opened(first, app_url, "data=two_modes&schedule=0.3,0.9;0.6,0.3")
    said(first, "#verdict", "Your schedule costs")
    assert first.locator("#own input").is_checked()
    opened(second, app_url, "schedule=0.3,0.4;0.6,0.7")
    assert "rises again between t = 0.3 and t = 0.6" in second.inner_text("#notice [role=alert]")
    assert second.evaluate("document.documentElement.scrollWidth <= window.innerWidth + 1")
    assert first.console_errors == second.console_errors == []


def test_the_endpoint_gives_the_same_numbers(app_url):
    client = Client(app_url, verbose=False, httpx_kwargs={"timeout": 60})
    found = client.predict("data=random&count=4&dimension=16", api_name="/kinetic_optimal")
    assert found["dimension"] == 16
    assert found["paths"]["optimal"]["energy"] < found["paths"]["condot"]["energy"]
    assert found["undecided"] < found["bound"]
    assert len(found["separation"]["lambda"]) == 40
