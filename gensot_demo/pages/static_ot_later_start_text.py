"""What "Later start" writes around its figures."""

from __future__ import annotations

LEAD = (
    "The first calls of a sampler only decide *roughly what* the picture will be. **Why not start later?** DPM-OT "
    "(arXiv 2307.11308; 2410.13431) sends noise by optimal transport to a training picture, noised to an intermediate "
    "level, and leaves only the last steps to the network. Said plainly: every picture's cell holds just its share of "
    "the noise, so with fresh noise **the jump is the same as drawing a training picture and noising it**; the last "
    "row does just that."
)
QUESTIONS = {
    "landing": (
        "Where does the jump land?",
        "Left the training picture whose cell holds the noise of that seed, right what sampling starts from. Where "
        "it is smoothed, the target is an average of several pictures: no picture, but nobody's copy either.",
    ),
    "wall": (
        "What comes of starting later, at equal calls?",
        "Right of each sample stands the training picture most like it, below how far that is. Each column is one "
        "noise, and every way has the same number of calls.",
    ),
    "distance": (
        "How few calls are enough?",
        "Distance to the law of the training pictures. Handing out copies scores perfectly here (dashed), so "
        "read it together with the third figure.",
    ),
    "judged": (
        "Are they recognisable?",
        "Share that a judge who guided nobody takes for what was asked; dotted, of pictures that the network never "
        "saw. The blurred average that 2 calls give may pass as well: see the first figure.",
    ),
    "copies": (
        "Whose pictures are they?",
        "Share of copies: less than a third as far from one training picture as from every other. A later start "
        "leaves less to be made anew.",
    ),
    "nearness": (
        "And how near to them?",
        "A sample need not be a copy to be a retouched training picture. Below the dotted line it is nearer to one "
        "than new pictures of the same kind are.",
    ),
}
TRY = (
    "**What to try:** raise *Signal at the start*: the samples get sharper, and from some level on each is the picture "
    "it landed on (*Too late: copies*). On *a perfect model* all ways copy: there the jump only saves calls."
)
TRY_CALLS = (
    "**What to try:** measure with a later start (signal 60 %) and see the first figure say *better* while the third "
    "says *copies*. A plain draw (✕) is the jump's own control: its line should lie on the jump's. Choose a class, and "
    "the judge must name just that one. Bars too long to tell two ways apart? *Measure 256 samples*, in some minutes, "
    "makes them shorter."
)
READ = """
* **Noise and levels**: states are z = y + σ ε. All ways share the noise of a column: from noise on, a sampler starts at
  the mean picture + 80 z, and the jump sends this very z. *Signal at the start* is v/(v + σ²), the share of a state's
  variance that is picture; v is the pictures' variance per coordinate. At 100 % (T′ = 0) nothing would be left to do.
* **The jump**: Brenier's map of the semi-discrete problem sends z to the picture with the largest ⟨z, y⟩ + h; the
  heights h are such that each cell holds its picture's weight, solved by stochastic dual ascent and shipped. The noise
  σ ε is drawn apart from z. In law, then, the start is p at that level exactly: there is no prior error, and no use of
  *which* noise goes where. The paper noises every target once and keeps it: then the start is one of finitely many
  states.
* **Smoothed**: the softmax average at temperature τ, in units of the standard deviation of ⟨z, y⟩ over pictures. Such
  an average is not of the law; what comes of it the model decides.
* **Equal calls**: DDIM, DPM-Solver++ (2M, diffusers' own solver) and Heun at Karras levels (ρ = 7) from 80, or from the
  later start, to .02; GenSOT's path asks at even times of its harmonic path and takes DDIM's step. Heun asks twice a
  step but once in the last, and for an even number once in the first. Calls are counted while they are made.
* **KID**: (x·y/d + 1)³ in the features of the judge, unbiased (arXiv 1801.01401), to the law of the training pictures,
  which is known, so only the samples have a sampling error: the jackknife's, as bars. The reference is what the
  network was *trained on*: a sampler that copies has KID 0. Pictures held out of training show what new ones score.
* **Copies**: nearer than a third of the distance to the second nearest (Yoon et al., 2023), among all training
  pictures; mirrored and shifted ones, which the network saw too, are not counted.
"""
