"""A guidance method as a visitor would bring it: `serve --method outside_method.py`."""

from gensot_demo.guidance.base import Field, GuidanceMethod, Prediction, ask


class HalfWay(GuidanceMethod):
    """The mean of the conditional and the unconditional prediction."""

    name = "halfway"
    label = "Half-way house"
    summary = "Goes a part of the way from the unconditional to the conditional prediction."

    share: float = Field(0.5, ge=0, le=1, title="Share of the way", description="0 is unguided, 1 conditional.")

    def predict(self, task, point, x):
        answer = yield ask(point, x, (None, task.joint))
        free, conditional = answer.predicted
        return Prediction(free + self.share * (conditional - free))
