"""What `new_page` hears of a page: every test in the browser ends with it, so it must not be deaf."""

KEPT = "Unexpected error Connection errored out."


def test_what_is_wrong_is_heard_and_stays_when_the_page_is_left(figures_url, page):
    page.goto(figures_url)
    page.evaluate("said => { console.error('of its own'); console.error(said); }", KEPT)
    page.evaluate("setTimeout(() => { throw new Error('thrown'); }, 0)")
    page.evaluate("fetch('/gradio_api/nothing-here')")
    page.evaluate("fetch('http://elsewhere.invalid/').catch(() => null)")
    page.wait_for_timeout(500)
    page.goto(figures_url)
    heard = "\n".join(page.console_errors)
    for what in ("of its own", KEPT, "thrown", "404 http://127.0.0.1", "elsewhere: http://elsewhere.invalid/"):
        assert what in heard


def test_a_page_that_is_left_may_say_that_its_streams_end_and_nothing_else(figures_url, page):
    page.goto(figures_url)
    page.evaluate(
        """() => {
            console.error('AbortError: signal is aborted without reason');
            console.error('Unexpected error 404: Not Found');
            console.error('of its own');
            location.reload();
        }"""
    )
    page.wait_for_function("performance.getEntriesByType('navigation')[0].type === 'reload'")
    page.wait_for_selector(".gensot-footer")
    assert page.console_errors == ["of its own"]
