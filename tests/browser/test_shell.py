"""The frame around the pages and the figure component, in a real browser."""

import pytest

INK = {"light": "rgb(29, 36, 48)", "dark": "rgb(230, 233, 238)"}


def drawn(page, selector: str = ".gensot-figure") -> None:
    page.wait_for_selector(f"{selector} .main-svg")


def tick_colour(page) -> str:
    return page.evaluate("getComputedStyle(document.querySelector('#first .xtick text')).fill")


def overflows(page) -> bool:
    return page.evaluate("document.documentElement.scrollWidth > window.innerWidth")


def test_app_loads_without_errors(app_url, page):
    page.goto(app_url)
    page.wait_for_selector(".gensot-header")
    page.wait_for_selector(".gensot-figure:visible")
    page.wait_for_timeout(1500)
    assert page.title() == "Compare · GenSOT Demo"
    assert page.locator("h1").inner_text() == "GenSOT Demo"
    assert page.console_errors == []


@pytest.mark.parametrize("width", [390, 768, 1280])
def test_app_has_no_horizontal_scroll(app_url, new_page, width):
    page = new_page(width=width)
    page.goto(app_url)
    page.wait_for_selector(".gensot-figure:visible")
    page.wait_for_timeout(500)
    assert not overflows(page)


def test_theme_buttons_change_page_and_figures_and_are_remembered(figures_url, page):
    page.goto(figures_url)
    drawn(page, "#first")
    assert tick_colour(page) != "rgb(154, 164, 178)"
    page.get_by_role("button", name="Dark theme").click()
    page.wait_for_selector("#first .gensot-figure[data-mode=dark]")
    assert tick_colour(page) == "rgb(154, 164, 178)"
    page.reload()
    drawn(page, "#first")
    page.wait_for_selector("#first .gensot-figure[data-mode=dark]")
    assert page.get_by_role("button", name="Dark theme").get_attribute("aria-pressed") == "true"
    page.get_by_role("button", name="System theme").click()
    page.wait_for_selector("#first .gensot-figure[data-mode=light]")
    page.emulate_media(color_scheme="dark")
    page.wait_for_selector("#first .gensot-figure[data-mode=dark]")
    assert page.evaluate("getComputedStyle(document.querySelector('.gensot-header')).color") == INK["dark"]
    assert page.console_errors == []


def test_the_theme_that_the_hub_asks_for(figures_url, page):
    page.goto(f"{figures_url}/?__theme=dark")
    page.wait_for_selector("#first .gensot-figure[data-mode=dark]")
    page.evaluate("gensot.replaceQuery('seed=3')")
    assert page.url.endswith("/?seed=3&__theme=dark")


def test_figure_streams_in_place_and_keeps_zoom(figures_url, page):
    page.goto(figures_url)
    drawn(page, "#first")
    page.evaluate("""() => {
        window.before = document.querySelector('#first .gensot-figure-plot .main-svg');
        window.emptied = 0;
        new MutationObserver(() => { window.emptied += !document.querySelector('#first .main-svg'); })
            .observe(document.querySelector('#first'), { childList: true, subtree: true });
        return Plotly.relayout(document.querySelector('#first .gensot-figure-plot'), { 'xaxis.range': [0.2, 0.4] });
    }""")
    page.get_by_role("button", name="Stream").click()
    page.wait_for_selector("#first [aria-label='A curve at level 5']")
    plot = "document.querySelector('#first .gensot-figure-plot')"
    page.wait_for_function(f"{plot}._fullData[0].y[0] === 5")
    assert page.evaluate("window.before === document.querySelector('#first .gensot-figure-plot .main-svg')")
    assert page.evaluate("window.emptied") == 0
    assert page.evaluate(f"{plot}._fullLayout.xaxis.range") == [0.2, 0.4]
    assert page.evaluate(f"{plot}._fullData[0].x instanceof Float32Array && {plot}._fullData[0].x.length") == 50
    assert page.evaluate("document.querySelectorAll('script[src*=\"plotly.js\"]').length") == 1
    assert page.console_errors == []


def test_empty_text_select_and_theme_colour(figures_url, page):
    page.goto(figures_url)
    note = page.locator("#second .gensot-figure-note")
    note.wait_for()
    assert note.inner_text() == "Press Stream to see ${1+1} <b>clouds</b>."
    page.get_by_role("button", name="Stream").click()
    page.wait_for_selector("#first [aria-label='A curve at level 5']")
    plot = page.locator("#second .gensot-figure-plot")
    assert plot.get_attribute("role") == "figure"
    assert plot.get_attribute("aria-label") == "A cloud"
    point_colour = "getComputedStyle(document.querySelector('#second .points path')).fill"
    assert page.evaluate(point_colour) == "rgb(217, 95, 14)"
    page.get_by_role("button", name="Dark theme").click()
    page.wait_for_function(f"{point_colour} === 'rgb(245, 147, 90)'")
    point = page.locator("#second .points path").nth(1).bounding_box()
    page.mouse.move(point["x"] + 15, point["y"] + 15)
    page.mouse.click(point["x"] + 15, point["y"] + 15)
    page.wait_for_function("document.querySelector('#said :is(textarea, input)').value === '2,3'")
    page.get_by_role("button", name="Clear").click()
    page.wait_for_selector("#second .gensot-figure[data-state=empty]")
    assert page.locator("#second .main-svg").count() == 0
    assert page.console_errors == []


def test_a_value_is_never_run(figures_url, page):
    page.goto(figures_url)
    page.get_by_role("button", name="Hostile").click()
    drawn(page, "#second")
    page.wait_for_timeout(300)
    assert page.evaluate("window.hacked") is None


def test_a_hidden_figure_is_drawn_when_it_is_shown(figures_url, page):
    page.goto(figures_url)
    drawn(page, "#first")
    page.get_by_role("tab", name="Hidden at first").click()
    drawn(page, "#hidden")
    assert page.evaluate("document.querySelector('#hidden .main-svg').clientWidth") > 300


def test_a_removed_figure_gives_its_memory_back(figures_url, page):
    page.goto(figures_url)
    drawn(page, "#first")
    page.evaluate("window.gone = document.querySelector('#first'); gone.remove()")
    page.wait_for_function("!gone.querySelector('.main-svg') && !gone.querySelector('.gensot-figure-plot')._fullLayout")


def test_the_page_sees_the_query_at_load(figures_url, page):
    page.goto(f"{figures_url}/other?seed=12")
    page.wait_for_function("document.querySelector('#query :is(textarea, input)')?.value === 'seed=12'")


def test_figure_follows_the_width(figures_url, new_page):
    page = new_page(width=390)
    page.goto(figures_url)
    drawn(page, "#first")
    assert not overflows(page)
    first, second = (page.locator(name).bounding_box() for name in ("#first", "#second"))
    assert second["y"] > first["y"] + first["height"] - 1  # below each other
    page.set_viewport_size({"width": 900, "height": 900})
    page.wait_for_function("document.querySelector('#first .main-svg').clientWidth > 400")


def test_download_is_a_light_picture(figures_url, page):
    page.goto(f"{figures_url}/?__theme=dark")
    drawn(page, "#first")
    page.locator("#first .gensot-figure-plot").hover()
    with page.expect_download() as waiting:
        page.locator("#first .modebar-btn[data-title*=SVG]").click()
    svg = waiting.value.path().read_text(encoding="utf-8")
    assert waiting.value.suggested_filename == "gensot.svg"
    assert "rgb(255, 255, 255)" in svg
    assert "#9aa4b2" not in svg.lower()
    assert "rgb(154, 164, 178)" not in svg


def test_pages_are_linked(figures_url, page):
    page.goto(figures_url)
    drawn(page, "#first")
    assert page.get_by_role("navigation").count() == 1
    assert not page.get_by_text("Home").filter(visible=True).count()
    page.get_by_role("link", name="Other").click()
    drawn(page, "#other")
    assert page.url.endswith("/other")
    assert page.title().startswith("Other · ")
    assert page.locator("nav a[aria-current=page]").inner_text() == "Other"
    assert page.evaluate("document.querySelector('#other .main-svg').clientHeight") == 200
    page.get_by_role("link", name="Figures").click()
    drawn(page, "#first")
    assert page.console_errors == []


def test_keyboard_focus_is_visible(figures_url, page):
    page.goto(figures_url)
    drawn(page, "#first")
    for _ in range(8):  # pages, themes, buttons
        page.keyboard.press("Tab")
        outline = page.evaluate("getComputedStyle(document.activeElement).outline")
        focused = page.evaluate("document.activeElement.outerHTML.slice(0, 200)")
        assert "solid" in outline, focused
        assert not outline.endswith(" 0px"), focused


def test_copy_link(figures_url, new_page):
    page = new_page(permissions=["clipboard-read", "clipboard-write"])
    page.goto(figures_url)
    page.wait_for_selector(".gensot-header")
    page.evaluate("gensot.copyLink('?seed=3&scale=2')")
    page.get_by_text("Link copied").wait_for()
    assert page.evaluate("navigator.clipboard.readText()") == f"{figures_url}/?seed=3&scale=2"
    assert (
        page.evaluate("gensot.shareAddress('seed=3', 'who/gensot')")
        == "https://huggingface.co/spaces/who/gensot?seed=3"
    )


def test_reduced_motion(figures_url, new_page):
    page = new_page(reduced_motion="reduce")
    page.goto(figures_url)
    drawn(page, "#first")
    duration = page.evaluate("getComputedStyle(document.querySelector('button')).transitionDuration")
    assert float(duration.split(",")[0].removesuffix("s")) < 0.001
