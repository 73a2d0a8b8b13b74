"""Transport in two dimensions: from a request to moving particles, curves and a table; progress on the way."""
