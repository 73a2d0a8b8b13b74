"""Point sets that several pages on optimal transport offer."""

EIGHT_POINTS = (
    (1.589, -0.127), (0.403, 1.483), (-1.462, 0.890), (-1.462, -1.144),
    (0.403, -1.737), (0.148, 0.042), (-0.530, -0.042), (0.911, 0.636),
)  # fmt: skip
"""The example of docs/FORMULAS.md 4, whose heights and distance are known."""
