"""Commands that print figures: ``python -m benchmarks.NAME``, progress on stderr, one JSON object as the last line.

Nothing here asserts a time; the tests assert what is exact, these say how fast and how close.
"""
