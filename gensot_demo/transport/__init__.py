"""The mathematics: tensors in, tensors out. Knows no picture, no network, no figure, no page.

Words that papers use for opposite things have one meaning here:

* time ``t`` runs from 0 (noise, or the known start) to 1 (data);
* ``a`` scales the terminal state y, ``g`` shifts, ``m`` scales the noise: ``x_t = a y + g + m eps``;
* ``sigma = m / a`` is the noise level in ``z = (x - g) / a``; ``K = 1 / sigma^2`` is the information gathered about y,
  and the clock in which all samplers share one Brownian path (see :mod:`.noise`);
* the *predicted state* is ``E[y | x]``: what an oracle answers;
* *protocol* = (stiffness beta, guide nu, temperature kappa), the knobs of guided harmonic path-integral diffusion.
"""
