"""Static optimal transport: noise sent to points by Brenier's map, beside what a diffusion does with the same noise."""
