"""Sequences: a reference that moves, followed frame by frame; how steady the films are, and what helps."""
