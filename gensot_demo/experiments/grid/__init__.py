"""X/Y/Z plots: one comparison for every combination of a few settings, in as few forwards as possible."""
