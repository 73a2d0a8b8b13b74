"""What every page has: the header above and the footer below."""

from html import escape

import gradio as gr

from gensot_demo import __version__

NAME = "GenSOT Demo"
SENTENCE = "See and compare how diffusion models are guided, on the same noise and against exact ground truth."

_ICONS = {
    "light": '<circle cx="12" cy="12" r="4"/>'
    '<path d="M12 3v2M12 19v2M3 12h2M19 12h2M5.6 5.6 7 7M17 17l1.4 1.4M5.6 18.4 7 17M17 7l1.4-1.4"/>',
    "dark": '<path d="M20 14.5A8 8 0 0 1 9.5 4a8 8 0 1 0 10.5 10.5z"/>',
    "system": '<rect x="3" y="5" width="18" height="12" rx="1.5"/><path d="M9 20h6"/>',
}

_MARK = (  # one start, two modes
    '<svg class="gensot-mark" viewBox="0 0 32 32" aria-hidden="true">'
    '<path d="M5 16C13 16 17 8 27 8M5 16c8 0 12 8 22 8" fill="none" stroke="currentColor" stroke-width="2"/>'
    '<circle cx="5" cy="16" r="3.2" fill="currentColor"/>'
    '<circle class="gensot-mark-a" cx="27" cy="8" r="3.2"/>'
    '<circle class="gensot-mark-b" cx="27" cy="24" r="3.2"/></svg>'
)


_TOUR = '<div class="gensot-tour-place"></div>'  # assets/tour.js fills it


def header(pages, current) -> None:
    """Name, sentence, navigation where there is more than one page, the choice of theme, and a place for the tour."""
    first = [page for page in pages if not page.under and page.listed]
    here = current.under or current.path
    links = "".join(_link(page, page.title, "page" if page is current else page.path == here) for page in first)
    navigation = f'<nav aria-label="Pages">{links}</nav>' if len(first) > 1 else ""
    themes = "".join(_theme_button(name) for name in _ICONS)
    group = [page for page in pages if here in (page.path, page.under)]
    parts = "".join(_link(page, page.part, "page" if page is current else "") for page in group)
    parts = f'<nav class="gensot-parts" aria-label="Parts of this page">{parts}</nav>' if len(group) > 1 else ""
    _fixed(
        f'<header class="gensot-header" data-title="{escape(current.title)}">'
        f'<div class="gensot-name">{_MARK}<h1>{NAME}</h1></div><p>{SENTENCE}</p>'
        f'<h2 class="gensot-unseen">{escape(current.title)}</h2>'
        f'{navigation}<div class="gensot-themes" role="group" aria-label="Theme">{themes}</div></header>'
        + ("" if parts else _TOUR)
    )
    if parts:
        _fixed(parts + _TOUR)


def footer(endpoint: str = "") -> None:
    """Licence, version, the tour and its sources, and how to take the page elsewhere.

    endpoint: of the page, as :data:`.build.ENDPOINTS` has it; nothing for a page without.
    """
    python = (
        f'<button type="button" data-gensot-copy="python" data-endpoint="{escape(endpoint)}">Copy as Python</button>'
        if endpoint
        else ""
    )
    _fixed(
        f'<footer class="gensot-footer"><span>{NAME} {__version__}</span><span>Apache License 2.0</span>'
        '<button type="button" data-gensot-tour="open">Tour</button><a href="sources">Sources</a>'
        f'<button type="button" data-gensot-copy="embed">Embed</button>{python}'
        '<a href="gradio_api/info">Endpoints for gradio_client</a></footer>'
        f'<p class="gensot-whole"><a href="./" target="_blank" rel="noopener" data-gensot-whole>Open in {NAME}</a></p>'
    )


def _link(page, words: str, current: str | bool) -> str:
    """current: "page" for the page itself, True for the one that it belongs to."""
    target = "./" if page.path == "/" else escape(page.path.strip("/"))
    mark = f' aria-current="{current if isinstance(current, str) else "true"}"' if current else ""
    return f'<a href="{target}"{mark}>{escape(words)}</a>'


def _theme_button(name: str) -> str:
    label = f"{name.capitalize()} theme"
    return (
        f'<button type="button" data-gensot-theme="{name}" aria-pressed="false" title="{label}">'
        f'<svg viewBox="0 0 24 24" aria-hidden="true">{_ICONS[name]}</svg>'
        f'<span class="gensot-unseen">{label}</span></button>'
    )


def _fixed(html: str) -> None:
    gr.HTML(html_template=html, js_on_load=None, apply_default_css=False, elem_classes="gensot-bare")
