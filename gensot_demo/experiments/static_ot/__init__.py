"""Experiments on static optimal transport."""
