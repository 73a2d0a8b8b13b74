"""Static optimal transport from the normal law to points: Brenier's map, whose cells all hold the mass asked for.

``semi_discrete`` solves the dual by drawing noise, in any dimension; ``laguerre`` solves it exactly in the plane.
Source: Wang, Li, Che et al., arXiv 2410.13431; Kitagawa, Merigot & Thibert, arXiv 1603.05579; docs/FORMULAS.md 4.
"""
