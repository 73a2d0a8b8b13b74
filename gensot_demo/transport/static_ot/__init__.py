"""Static optimal transport: the cheapest map from noise to data, and what flows make of it."""
