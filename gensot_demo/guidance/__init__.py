"""Guidance methods: one file each, one interface (:mod:`.base`), one registry (:mod:`.registry`).

A method sees only the oracle and the task, never the data behind them. This room imports from transport.
"""
