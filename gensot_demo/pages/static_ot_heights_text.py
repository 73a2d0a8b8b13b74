"""What the part Solver of Optimal transport says beside its figures."""

LEAD = (
    "Optimal transport from noise to points cuts the plane into **cells**, one for each point, and gives every point a "
    "**height**: noise z goes to the point with the largest ⟨z, y⟩ + height. The right heights are those at which "
    "every cell holds the same share of the noise, and they are found as water finds a level: **a cell that holds too "
    "little is raised, one that holds too much is lowered.** Noise is drawn, counted, and the heights follow."
)
TRY = (
    "**What to try:** *Octagon* is right from the start, by symmetry; *One far away* needs a height far below the "
    "others'; *200 points* and move the moment below the cells: first the crowd in the middle gets its due, the rest "
    "is fine work that takes most of the draws."
)
QUESTIONS = {
    "cells": (
        "Does every cell hold its share?",
        "Blue cells hold too little and rise, orange ones too much and sink. Rings hold 39, 86 and 99 % of the noise: "
        "that is why outer cells are so large.",
    ),
    "heights": (
        "How high must each point stand?",
        "The ascent's heights (filled) close in on the exact ones (hollow).",
    ),
    "error": (
        "How many draws does it take?",
        "The error falls with the root of the draws. Dotted: what exact heights show when a round's draws are counted. "
        "The line is judged by exact masses instead, so averaged heights can lie below; the moments before an "
        "average, which still swing, lie above.",
    ),
    "dual": (
        "What is being climbed?",
        "The dual, a concave function of the heights: it has one top, whose height gives the transport cost W₂².",
    ),
    "newton": (
        "And without drawing noise?",
        "In the plane the cells' masses are known exactly, and Newton's method squares its error at every step.",
    ),
    "discrete": (
        "What does a finite sample say?",
        "POT solves the assignment of a sample exactly. Its cost is that of the sample, not of the noise, and lies "
        "above W₂² on average. Bars: two standard errors.",
    ),
    "smoothed": (
        "What if the map is smoothed?",
        "With τ above 0 noise goes to an average of points instead of one: between cells it lands between points. "
        "Small τ is the map itself; large τ sends everything to the middle.",
    ),
    "rounds": (
        "Is it done, or only counted too little?",
        "What the ascent counts, against what exact heights would show with as many draws (dotted).",
    ),
    "shares": (
        "Which pictures get too much?",
        "Fresh noise, none of which the heights were fitted to. Where the two lower curves lie on each other, what is "
        "left is counting.",
    ),
}
PICTURES = (
    "### The same for pictures\n"
    "A picture is a point too, in as many dimensions as it has values, and there nothing but drawing noise is left: "
    "no polygon can be cut in 3,072 dimensions. Only products of noise and pictures are needed. The heights of the "
    "network's training pictures, of its classes and of the whole collection took minutes and are **stored**; they are "
    "checked here with fresh noise. *Solve anew* runs the same call. **What to try:** *network/clocks*: the first "
    "guess, which only looks at how far each picture is from the mean, already knows most of it."
)
READ = """
* **Map**: Brenier's, from white noise N(0, I) to the points with equal shares (the network's training pictures: in the
  proportions it was trained in). It is the gradient of max over i of ⟨z, yᵢ⟩ + hᵢ. Nothing here is a diffusion; a
  diffusion's own cells are in the part *Cells*.
* **Mass error**: total variation, half the sum of |mass − share|: the part of the noise that is in a wrong cell.
* **Ascent**: Adam on the heights, 64 steps a round, the later half averaged (so the curve is
  jagged: a round's end is such an average, the moments before it are not); a round that does not help halves the step
  and doubles the draws. Half of the draws climb, half count. It ends when both the count and the error that exact
  heights would show are below what was asked for. In the plane every moment is judged by exact masses.
* **Exact cells**: every pair of points has a line on which they are equally high, every other point cuts a half-line
  off it. Masses are integrals along borders, the Hessian is the border's mass over the points' distance, and damped
  Newton (Kitagawa, Mérigot & Thibert, arXiv 1603.05579) ends at rounding.
* **W₂²** = 2 + mean |y|² + 2 · dual in the plane.
* **Smoothing**: u_τ = τ log Σ exp((⟨z, yᵢ⟩ + hᵢ)/τ) with the exact heights; its gradient is a softmax average.
* **Source**: Wang, Li, Che et al., arXiv 2410.13431, who jump by such a map.
"""
