"""Static optimal transport: what is asked of it, and what is found."""
