"""Ways in which guided sampling fails, each with a run that shows it, what mends it, and the numbers that say so."""
