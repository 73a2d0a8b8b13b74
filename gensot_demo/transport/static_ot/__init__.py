"""Static optimal transport: where each noise would go if it went straight, at the least cost."""
