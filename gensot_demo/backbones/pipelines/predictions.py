"""What a discrete-time network's output says about the picture (docs/FORMULAS.md, section 6).

A network that is given x = a y + m eps with a^2 + m^2 = 1 returns eps, v = a eps - m y, or y-hat itself:

    D = (x - m eps)/a,      D = a x - m v,      D = yhat.
"""

from __future__ import annotations

from torch import Tensor

PREDICTION_TYPES = ("epsilon", "v_prediction", "sample")


def predicted_state(
    prediction_type: str, output: Tensor, given: Tensor, a: Tensor | float, m: Tensor | float
) -> Tensor:
    """E[y | given = a y + m eps] from a network's output; output, given and the result have one shape.

    prediction_type: one of PREDICTION_TYPES, which is not checked again.  a, m: numbers in [0, 1] with a^2 + m^2 = 1,
    or tensors of them that broadcast to that shape; noise alone (a = 0) leaves no answer of type "epsilon".
    """
    if prediction_type == "sample":
        return output
    if prediction_type == "v_prediction":
        return a * given - m * output
    return (given - m * output) / a
