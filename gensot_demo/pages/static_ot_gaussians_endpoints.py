"""The maps between two Gaussians as a named, typed endpoint: for gradio_client, curl and, where on, MCP."""

from __future__ import annotations

from typing import Any

from gensot_demo.experiments.static_ot.gaussians import compare_gaussians, from_query, of_maps, to_query

from . import named


def gaussian_maps_endpoint(query: str) -> dict[str, Any]:
    """The maps of optimal transport and of flow matching between two planar Gaussians, in closed form.

    Args:
        query: the settings as in a shared link of the page, for example
            "source_along=1.4&source_across=0.5&target_along=1.7&target_across=0.6&target_angle=46".

    Returns:
        query, notes, optimal and flow (2 x 2 matrices), least (W2 squared), cost (of flow matching), energy (of the
        flow along the schedule), extra (relative; None where nothing moves), commutator (relative, 0 to 1.414), swirl
        (degrees), sentences; angles (degrees of the target) with least_at and cost_at.
    """
    request, notes = from_query(query)
    found = compare_gaussians(request)
    numbers = {name: getattr(found, name) for name in ("least", "cost", "energy", "extra", "commutator", "swirl")}
    arrays = {name: getattr(found, name).tolist() for name in ("optimal", "flow", "angles", "least_at", "cost_at")}
    return {"query": to_query(request), "notes": notes, **numbers, **arrays, "sentences": of_maps(found)}


def publish() -> None:
    """Register the endpoint with the Blocks that is being built."""
    named.publish(gaussian_maps_endpoint, "gaussian_maps", "light")
