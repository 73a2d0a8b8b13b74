"""What "Cells" writes around its figures: four numbers in large type, sentences, the equations."""

from __future__ import annotations

from gensot_demo.experiments.static_ot.cells import CellsResult
from gensot_demo.experiments.static_ot.cells_told import mass, of_result, percent, scientific, surplus

from . import report
from .report import sentences

LEAD = (
    "Both carry noise to the same points. **Optimal transport** (Brenier's map) does it with the least squared "
    "distance, in straight cells and on straight lines. **Diffusion** follows the exact probability flow of these "
    "points. Does diffusion find optimal transport? Nearly, and not quite: see where."
)
READ = """
* **Noise** is z from N(0, I) in the plane; a colour says which point it goes to. Points are centred and have variance 1
  per coordinate. A cell's mass is the probability of its noise.
* **Brenier's map** sends z to the point with the largest ⟨z, yᵢ⟩ + hᵢ. The heights h are found by Newton's method with
  exact masses, to 10⁻¹¹. W₂² is exact.
* **Diffusion's flow** is the probability flow of the exact score of the points, from z taken as the state
  x_T = e^(−T) y + √(1 − e^(−2T)) ε at time T, by Runge-Kutta steps of at most 0.24 in the logarithm of the noise level.
  No network is involved, so nothing here is an error of learning.
* **Cells** are found on a grid of 288 × 288 squares; borders are bisected to 10⁻⁴ along its lines, and integrals along
  them are closed forms. From 13 points on the grid has 144 × 144 squares; the share is then known to 0.2 %.
* **Prior error**: W₂ between the law of x_T and N(0, I), from which sampling starts. The flow from the one to the other
  gives it from above, and its curl says by how much that is too large; means and covariances (Gelbrich) bound it from
  below.
* **Mass error**: half the sum of |mass − 1/n|.
* Wang et al., *arXiv 2410.13431*, and DPM-OT, *arXiv 2307.11308*, jump by semi-discrete optimal transport.
"""
EQUATIONS = """
* Brenier's potential is u(z) = maxᵢ (⟨z, yᵢ⟩ + hᵢ), its gradient the map; h maximises
  mean(h) − E u(z), and then W₂² = E|z|² + mean|y|² + 2 (mean(h) − E u(z)).
* The flow in s = log(m/a), with a = e^(−T), m = √(1 − a²):  dx/ds = a² x − a E[y | x].  Its Jacobian is a product of
  symmetric matrices. It is symmetric, so the map a gradient and by Brenier's theorem optimal, exactly if these commute.
* From T on they nearly do. The noised data are N(0, I) times 1 + e^(−2T) H₂ + e^(−3T) H₃ + …, H of Hermite polynomials;
  the first commutator, of the second with the third order, is of size **e^(−5T)**. Where third moments vanish, as
  for data symmetric about a point, **e^(−6T)** is left; where the covariance is a multiple of I,
  **e^(−7T)**. On a line, and for products and regular polygons, the whole map is Brenier's.
* Starting from N(0, I) shifts every border by O(e^(−2T)): mass error O(e^(−2T)); a strip of that width changes its
  point, so the maps of T and ∞ differ by O(e^(−T)) in root mean square.
* A prior error is carried on: e^(−∫l) W₂(p_T, N) ≤ W₂(output, data) ≤ e^(∫L) W₂(p_T, N), with one-sided Lipschitz
  bounds l and L of the reverse velocity.
"""


def tiles(result: CellsResult) -> str:
    """The four numbers."""
    share = "0 %" if result.same else percent(result.difference.share)
    cells = [
        (share, "of the noise goes to another point"),
        (
            surplus(result),
            f"squared distance, against W₂² = {result.w2:.4f}",
        ),
        (mass(result), f"of the mass is in the wrong cell (1/{len(result.points)} each)"),
        (scientific(result.prior.value), f"prior error W₂ at T = {result.request.time:g}"),
    ]
    body = "".join(f"<div><b>{report.escape(big)}</b><span>{report.escape(small)}</span></div>" for big, small in cells)
    return f'<div class="gensot-tiles">{body}</div>'


def said(result: CellsResult) -> str:
    """The sentences of a result."""
    return sentences(of_result(result))


def accuracy(result: CellsResult) -> str:
    """How far the grid of this run can be trusted."""
    return (
        '<p class="gensot-law"><b>Check.</b> Under the law of the noised data each cell of the flow must hold exactly '
        f"1/{len(result.points)}: this run's grid finds that to {scientific(max(result.worst, 1e-7))}, and the masses "
        f"have this error taken off; what is left of it may be {percent(result.accuracy)} in "
        f"all. Prior error: between {scientific(result.prior.lowest)} and "
        f"{scientific(result.prior.highest)}.</p>"
    )


def done(result: CellsResult) -> str:
    """The status line."""
    if result.seconds == 0:
        return f"{result.label}, T = {result.request.time:g}."
    return f"{result.label}, T = {result.request.time:g}: both maps in {result.seconds:.2f} s."
