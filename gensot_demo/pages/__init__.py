"""One file per page: controls, text and wiring, no mathematics. The shell calls each page's `build()`."""
