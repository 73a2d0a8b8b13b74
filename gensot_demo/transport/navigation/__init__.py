"""Protocols that are held in the hand: corridors and teachers, guides learnt exactly, experts, stiffness over time.

The mean of a guided process is affine in its guide, so learning a guide is linear least squares: nothing is simulated.
Source of the cases A, B and C: Chertkov, arXiv 2512.11859; the closed forms are ours (docs/FORMULAS.md 1.5).
"""
