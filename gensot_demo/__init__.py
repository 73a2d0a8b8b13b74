"""GenSOT Demo: see and compare how diffusion models are guided.

Rooms, from the ground up (a room imports only from rooms below it): transport, backbones, guidance, integrations,
experiments, figures, pages, shell.
"""

__version__ = "0.1.0"
