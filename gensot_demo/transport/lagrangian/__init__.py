"""One continuity equation, d_t alpha + div(alpha v) = 0: many ways to choose the velocity (Peyre, arXiv 2512.06797)."""
