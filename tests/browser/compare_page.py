"""What the browser tests of the Compare page share."""

DONE = "document.querySelector('#status')?.innerText.includes('Done')"


def open_compare(page, url, query=""):
    page.goto(f"{url}/?{query}" if query else url)
    page.wait_for_selector("#wall .gensot-wall-row")
    page.wait_for_function(DONE)


def rows(page) -> list[str]:
    return page.locator("#wall .gensot-wall-row b").all_inner_texts()
