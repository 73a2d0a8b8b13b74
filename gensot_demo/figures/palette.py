"""The colours of figures, light and dark.

A figure is written with the light colours. On a dark page each colour named here becomes its dark counterpart when the
figure is drawn, with the same opacity; any other colour stays as it is. The data colours keep apart for colour-blind
readers, and each has a contrast of at least 3:1 with the paper in its theme.
"""

DATA = ("#2166ac", "#d95f0e", "#0f8a6b", "#a6437f", "#8c6d00", "#2f8fbd", "#6a55c2", "#6b7280")
"""Blue, orange, green, plum, ochre, sky, violet, grey: the order that traces without a colour take."""

INK = "#1d2430"
"""Text, and whatever is as plain as text."""

MUTED = "#5c6675"
"""Tick labels, annotations, reference curves."""

LINE = "#e3e5e9"
"""Grids and hairlines."""

PAPER = "#ffffff"
"""What lies under a figure; say "white" for a white that stays white."""

SEQUENTIAL = ("#f4f6f9", "#c9dbeb", "#86b1d6", "#4281b8", "#1f5a94", "#12355f")
"""From the paper's colour to full: densities."""

DIVERGING = ("#2166ab", "#f4f4f2", "#c2560c")
"""Below, at and above a middle: differences."""

DARK = {
    "#2166ac": "#6cb0f0",
    "#d95f0e": "#f5935a",
    "#0f8a6b": "#43c59e",
    "#a6437f": "#e58cc3",
    "#8c6d00": "#d8b547",
    "#2f8fbd": "#7fd0ee",
    "#6a55c2": "#aa9bf2",
    "#6b7280": "#a0a8b5",
    INK: "#e6e9ee",
    MUTED: "#9aa4b2",
    LINE: "#2c3440",
    PAPER: "#171c24",
    "#f4f6f9": "#171c25",
    "#c9dbeb": "#1c3a5c",
    "#86b1d6": "#265d94",
    "#4281b8": "#4389c8",
    "#1f5a94": "#86b9e6",
    "#12355f": "#e2effb",
    "#2166ab": "#6cb0f1",
    "#f4f4f2": "#20262f",
    "#c2560c": "#f5935b",
}
"""Light colour to dark colour."""


def faded(colour: str, opacity: float) -> str:
    """A colour of this palette with an opacity from 0 to 1, as ``#rrggbbaa``.

    >>> faded(DATA[0], 0.25)
    '#2166ac40'
    """
    if colour not in DARK:
        raise ValueError(f"colour is {colour!r}; it must be one of the palette")
    if not 0 <= opacity <= 1:
        raise ValueError(f"opacity is {opacity}; it must be between 0 and 1")
    return f"{colour}{round(opacity * 255):02x}"
