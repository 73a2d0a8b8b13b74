"""GenSOT Demo: see and compare how diffusion models are guided.

Rooms, from the ground up (a room imports only from rooms below it): transport, backbones, guidance, integrations,
experiments, figures, pages, shell.
"""

import os

# Threads that wait for each other must sleep, not spin: beside any other work on two cores, spinning slows small tensor
# operations sixfold. Read by the OpenMP runtime when torch is first imported.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("GOMP_SPINCOUNT", "0")

__version__ = "0.1.0"
