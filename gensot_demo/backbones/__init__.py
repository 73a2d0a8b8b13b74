"""Oracles that come from outside the mathematics: the embedded picture collection, networks.

May import `gensot_demo.transport`; nothing here knows a figure or a page.
"""
