"""What the page on pairing in training says around its figures."""

from __future__ import annotations

LEAD = (
    "To train a flow, noise is joined to data by straight lines. Usually **any** noise is joined to **any** point; the "
    "lines cross, the network learns their average, and what it learnt is bent. Pair them better, and the flow "
    "straightens and needs fewer calls. Noise and data stay what they are: only who is whose partner changes."
)
QUESTIONS = {
    "pairs": (
        "What are the networks shown?",
        "The same noise (rings) and its partners in the data. Joined at random, lines cross everywhere; assigned "
        "within minibatches, most are short; by the optimal map of the whole data set, no two could be swapped for "
        "less.",
    ),
    "flows": (
        "What do they learn?",
        "Lines of the learnt flows from the same noise, over the data (grey). A network cannot send two particles two "
        "ways from one place, so where lines crossed it learns their mean, and its own lines bend around each other.",
    ),
    "calls": (
        "How many calls does it take?",
        "Error of the samples after few Euler steps. A straight line run at constant speed needs one. The band is what "
        "draws from the data set score.",
    ),
    "spent": (
        "Where does the cost of the pairs go?",
        "What the pairs cost (open), what the flow spends (filled), how far it carries (bar). Between open and filled "
        "is what averaged out; between filled and bar is what bends. W₂² is the least for any pairs; a flow that "
        "carries less has not learnt to arrive.",
    ),
    "plans": (
        "Why not just minibatches?",
        "A minibatch sees few points, so its best plan is not that of the whole. The larger it is, the cheaper the "
        "plan; the time to find it grows like the cube.",
    ),
    "loss": (
        "What does the loss say?",
        "It stays where lines cross: it is the variance that no network can predict. A small one here is a straight "
        "flow, not a better network.",
    ),
}
READ = """
* **Units**: the data set is centred and has variance 1 per coordinate, so independent pairs cost 4.
* **Whole data set**: the semi-discrete optimal map from N(0, I) to the points; noise goes to the point in whose
  Laguerre cell it lies. Heights are exact (Newton's method on exact cell masses), so every point is met equally often.
  AOT (arXiv 2403.05069) assigns a large batch of noise to the training pictures; this is the limit of that for ever
  larger batches. Its pairs cost W₂² exactly, independent ones 4; minibatches are measured on 4,096 pairs.
* **Minibatch**: noise and points of each minibatch are assigned at least cost (Pooladian et al., arXiv 2304.14772; Tong
  et al., arXiv 2302.00482). Every update takes 256 pairs, whatever the size of a minibatch: only partners change.
* **Marginals** stay right in all three: noise is N(0, I) and every point is met equally often. A flow that fits its
  pairs perfectly therefore ends in the data set, whichever pairs these are.
* **Network**: three layers of 64 that predict v(x, t) on x_t = (1 − t) x₀ + t y, loss E|v − (y − x₀)|². Networks of one
  seed begin with the same weights and meet the same noise, points and times.
* **Straightness**: ∫ E|v − (x₁ − x₀)|² dt / E|x₁ − x₀|² along the learnt flow, 48 Runge-Kutta steps, 1,000 particles
  (Liu et al., arXiv 2209.03003). For the exact flow the energy lies between W₂² and what the pairs cost.
* **Crossings** are counted in the plane, as drawn, among 80 lines. In plane and time together neither optimal pairs nor
  lines of a flow ever meet. Two pairs are *cheaper swapped* where ⟨x − x′, y − y′⟩ < 0.
* **Samples**: sliced W₂ of some 2,000 samples to the data set, every point as often as every other. With pairs of the
  whole data set the flow comes near the points themselves: what is learnt fast is also learnt by heart.
"""
