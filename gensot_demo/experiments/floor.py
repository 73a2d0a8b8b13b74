"""The law that a comparison is asked for, as what the cheapest path to it needs to know."""

from __future__ import annotations

import torch

from gensot_demo.backbones.base import Backbone
from gensot_demo.backbones.embedded import NETWORK_INFO
from gensot_demo.transport.measures import EndLaw, end_law

from .asking import Asked, ask_for, backbone_of, truth_request
from .requests import CompareRequest, InvalidRequest


def asked_end_law(request: CompareRequest, backbone: Backbone, asked: Asked) -> EndLaw | None:
    """Moments of the law asked for; of the embedded network's, those of the same law of the pictures that it learnt
    from. None where neither is known."""
    if backbone.info.name == NETWORK_INFO.name:
        try:
            request = truth_request(request)
            backbone = backbone_of(request)
            asked = ask_for(request, backbone)
        except InvalidRequest:  # nothing that the network learnt from fulfils it
            return None
    if asked.law is None:
        return None
    points = backbone.oracle.points
    return end_law(points, torch.from_numpy(asked.law).to(points.device))
