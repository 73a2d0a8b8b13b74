"""Guidance of your own: `python -m gensot_demo serve --method my_guidance.py`, and edit while it runs.

It guides late: the condition counts more and more as the noise level sigma = m/a falls. Fields become controls.
"""

from gensot_demo.guidance.base import Field, GuidanceMethod, Prediction, ask


class LateGuidance(GuidanceMethod):
    name = "late"  # in links; lower case
    label = "Late guidance"
    summary = "Classifier-free guidance that grows as the noise falls."
    equation = r"\hat y = D_\varnothing + \tfrac{k}{1 + \sigma/h}\,(D_c - D_\varnothing)"
    cost = "2 forwards"

    half: float = Field(1.0, gt=0, le=20, title="Half-way noise", description="Noise level of half the strength.")

    def unavailable(self, task):  # why it cannot do a task, in a sentence, or None
        return task.no_null if task.joint is not None else "Late guidance needs a condition."

    def calls(self, task):  # (forwards, backwards) of one step
        return 2, 0

    def predict(self, task, point, x):  # ask the model by yielding; answer with the predicted picture
        answer = yield ask(point, x, (None, task.joint))
        free, conditional = answer.predicted
        sigma = point.m / max(point.a, 1e-12)
        share = task.trusts[0] / (1 + sigma / self.half)
        return Prediction(free + share * (conditional - free))
