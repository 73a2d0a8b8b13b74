"""Results as plotly figures: layout and colour, no computation. Imports `experiments` and below, never a page."""
