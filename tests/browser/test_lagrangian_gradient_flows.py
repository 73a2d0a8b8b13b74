"""The page of gradient flows: it opens, the energy changes terms and pictures, a bad link says so."""

from playwright.sync_api import expect

expect.set_options(timeout=30_000)


def test_it_opens_with_both_clouds_and_the_energy_can_be_changed(page, app_url):
    page.goto(f"{app_url}/gradient_flows")
    expect(page.get_by_text("By noise").first).to_be_visible()
    expect(page.locator("#said")).to_contain_text("% of the mass")
    expect(page.locator("#masses .js-plotly-plot")).to_be_visible()
    page.get_by_role("radio", name="Kernel distance (MMD)").check()
    expect(page.locator("#said")).to_contain_text("Beyond a bandwidth of 1")
    expect(page.get_by_label("Bandwidth h of the kernel").first).to_be_visible()
    expect(page.locator("#velocity .gensot-term.off")).to_have_count(2)
    page.get_by_role("button", name="Heat", exact=True).click()
    expect(page.locator("#said")).to_contain_text("diffusion says")
    page.wait_for_function("location.search.includes('energy=heat')")
    assert page.console_errors == []


def test_standing_still_is_kept_and_a_bad_link_says_so(page, app_url):
    page.goto(f"{app_url}/gradient_flows?v=1&bandwidth=0.1&view=eulerian")
    expect(page.locator("#notice")).to_contain_text("0.4")
    page.get_by_role("radio", name="Stand still and look (Eulerian)").check()
    page.wait_for_function("location.search.includes('view=eulerian')")
    expect(page.locator("#particles").get_by_role("button", name="Density")).to_have_attribute("aria-pressed", "true")
    assert page.console_errors == []
