"""A learnt guide and a consensus of experts as named, typed endpoints: for gradio_client, curl and, where on, MCP."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from gensot_demo.experiments.navigation.experts import consensus
from gensot_demo.experiments.navigation.learning_links import experts_from_query, teacher_from_query, to_query
from gensot_demo.experiments.navigation.passage import Passage
from gensot_demo.experiments.navigation.teacher import learn
from gensot_demo.experiments.navigation.told import of_experts, of_teacher
from gensot_demo.transport.navigation.learning import Cost

from . import named


def learn_guide_endpoint(query: str) -> dict[str, Any]:
    """Learn the guide that makes a process follow a teacher, by one linear solve.

    Args:
        query: the settings as in a shared link of the page, for example
            "target=two_modes&amplitude=2&steepness=6&stiffness=20&pieces=50&regularisation=0.001", or a drawn teacher,
            "points=0,0;1,1.2;3,0.5".

    Returns:
        query, notes, verdict (sentences), seconds, before and after (following, disagreement, spread, penalty, total),
        guide (a place for each piece), mean and half_width of the process at times t.
    """
    request, notes = teacher_from_query(query)
    result = learn(request)
    return {
        "query": to_query(request),
        "notes": notes,
        "verdict": of_teacher(result),
        "seconds": result.seconds,
        "before": _cost(result.before),
        "after": _cost(result.after),
        **_passage(result.learnt),
    }


def experts_endpoint(query: str) -> dict[str, Any]:
    """Fuse the beliefs of experts exactly and learn the guide that serves them all.

    Args:
        query: the settings as in a shared link of the page, for example "trusts=1,2&stiffness=20"; beliefs of your own
            as "belief=weight,x,y,sxx,sxy,syy;…", one for each of up to 4 experts, with amplitudes and trusts as lists.

    Returns:
        query, notes, verdict (sentences), seconds, start and optimum of the objective, before and after (its parts,
        without the constant), fused (weights, means and covariances of the law), guide, mean, half_width, t.
    """
    request, notes = experts_from_query(query)
    result = consensus(request)
    law = result.fused
    fused = {"weights": law.log_prior.exp(), "means": law.means, "covariances": law.covariances}
    return {
        "query": to_query(request),
        "notes": notes,
        "verdict": of_experts(result),
        "seconds": result.seconds,
        "start": result.start,
        "optimum": result.optimum,
        "before": _cost(result.before),
        "after": _cost(result.after),
        "fused": {name: value.tolist() for name, value in fused.items()},
        **_passage(result.learnt),
    }


def _cost(cost: Cost) -> dict[str, float]:
    return {**asdict(cost), "total": cost.total}


def _passage(passage: Passage) -> dict[str, list]:
    return {name: getattr(passage, name).tolist() for name in ("guide", "t", "mean", "half_width")}


def publish_teacher() -> None:
    """Register the endpoint with the Blocks that is being built."""
    named.publish(learn_guide_endpoint, "learn_guide", "light")


def publish_experts() -> None:
    """Register the endpoint with the Blocks that is being built."""
    named.publish(experts_endpoint, "experts", "light")
