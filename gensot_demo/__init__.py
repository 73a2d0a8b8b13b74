"""GenSOT Demo: see and compare how diffusion models are guided.

Rooms, from the ground up (a room imports only from rooms below it): transport, backbones, guidance, integrations,
experiments, figures, pages, shell.
"""

import os
from typing import Any

# Threads that wait for each other must sleep, not spin: beside any other work on two cores, spinning slows small tensor
# operations sixfold. Read by the OpenMP runtime when torch is first imported.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("GOMP_SPINCOUNT", "0")

__version__ = "0.1.0"

__all__ = ["__version__", "compare"]


def __getattr__(name: str) -> Any:
    if name == "compare":  # loads torch: when it is wanted
        from gensot_demo.notebook import compare

        return compare
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
