"""The page of controlled transport: it opens, the guide changes the way and not the ends, a bad link says so."""

from playwright.sync_api import expect

expect.set_options(timeout=30_000)


def test_it_opens_and_a_preset_changes_the_price(page, app_url):
    page.goto(f"{app_url}/controlled")
    expect(page.locator("#said")).to_contain_text("9.98 for being steered")
    for number in range(4):
        expect(page.locator(f"#landscape-{number} .js-plotly-plot")).to_be_visible()
    page.get_by_role("button", name="Stiff V").click()
    expect(page.locator("#said")).not_to_contain_text("9.98 for being steered")
    expect(page.locator("#said")).to_contain_text("The guide does not choose the destination")
    page.wait_for_function("location.search.includes('stiffness=80')")
    assert page.console_errors == []


def test_a_bad_link_says_so_and_standing_still_is_kept(page, app_url):
    page.goto(f"{app_url}/controlled?v=1&stiffness=1000")
    expect(page.locator("#notice")).to_contain_text("100")
    page.get_by_role("radio", name="Stand still and look (Eulerian)").check()
    page.wait_for_function("location.search.includes('view=eulerian')")
    assert page.console_errors == []
