"""Adaptive and matrix stiffness worth looking at: titles of buttons, and what is asked for."""

from __future__ import annotations

from .adaptive import AdaptiveRequest
from .directions import DirectionsRequest

ADAPTIVE = (
    ("No stiffness", AdaptiveRequest(pulls=(0.0,))),
    ("Stiff and hot", AdaptiveRequest()),
    ("Stiff and cold", AdaptiveRequest(temperature=0.0016, pulls=(26.0,))),
    ("Four pieces, cold", AdaptiveRequest(temperature=0.001, pulls=(1.5, 70.0, 18.0, 1.2))),
    ("Temperature held", AdaptiveRequest(pulls=(5.0, 20.0), free=False)),
)
DIRECTIONS = (
    ("Tight arch", DirectionsRequest()),
    ("Same in all directions", DirectionsRequest(along=100.0)),
    ("Rotating wind", DirectionsRequest(drift="rotation", strength=3.0, across=20.0)),
    ("Cooling", DirectionsRequest(corridor="straight", schedule="cooling", along=0.0, across=40.0)),
    ("Four starts, one end", DirectionsRequest(starts=4, law="one mode", across=40.0)),
)
