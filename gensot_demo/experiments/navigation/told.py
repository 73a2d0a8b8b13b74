"""What one sees in a learnt guide and in a consensus of experts, and why, in sentences made from the numbers."""

from __future__ import annotations

from .experts import ExpertsResult
from .teacher import TeacherResult, TuningMoment

_NO_BEND = 0.02  # of a data unit: a teacher this close to the straight way is called straight
_CLOSE = 1.15
_SMALL = 0.05


def of_teacher(result: TeacherResult) -> list[str]:
    """Sentences about a learnt guide."""
    before, after, beta = result.before, result.after, result.request.stiffness
    said = []
    if before.following > 1e-4:
        said.append(
            f"With the teacher itself as its guide the process lags: it strays from the teacher by "
            f"{result.stray(before):.2f} on average. The learnt guide, from one linear solve, leaves "
            f"{result.stray(after):.2f}."
        )
    if result.bend < _NO_BEND:
        said.append("The teacher hardly bends, so there is no lag to make up for.")
    elif result.swing > _CLOSE:
        said.append(
            f"The guide swings {result.swing:.1f} times as far out as the teacher. A corridor of stiffness {beta:g} "
            f"follows a swing of this quickness, (2πf)² = {result.quickness:.0f}, with a gain of "
            f"β/(β + (2πf)²) = {100 * result.gain:.0f} %, so the guide must exaggerate; a stiffer corridor or more "
            "regularisation makes it calmer."
        )
    else:
        said.append(
            f"The guide stays close to the teacher: its swing is {result.swing:.2f} times the teacher's. "
            + (
                "The regularisation holds it there, at the price of a lag."
                if after.following > _SMALL * after.floor
                else f"Stiffness {beta:g} is enough to follow a swing of (2πf)² = {result.quickness:.0f}."
            )
        )
    share = after.floor / after.total
    said.append(
        f"{100 * share:.0f} % of what remains is the floor, {after.floor:.3f}: the width of the tube and of the "
        "target. No guide lowers it; more stiffness narrows the tube, but weighs each deviation more."
    )
    return said


def of_tuning(moment: TuningMoment) -> str:
    """A sentence about a finished tuning."""
    first, last = moment.objectives[0], moment.objectives[-1]
    gain = 100 * (1 - last / first)
    if moment.what == "stiffness":
        top = int(moment.profile.argmax())
        knots = moment.passage.knots
        return (
            f"Spread unevenly, the same stiffness follows better: half the mean squared distance, with the "
            f"regularisation, falls from "
            f"{first:.3f} to {last:.3f} ({gain:.0f} % less). The hold is firmest, {moment.profile[top]:.0f}, from "
            f"t = {knots[top]:.2f} to {knots[top + 1]:.2f}, and loosest at {moment.profile.min():.2g}."
        )
    if gain < 1:
        return f"The timing is already right: the optimal cost stays at {last:.2f} nats."
    return (
        f"Going along the same curve at other times lowers the optimal cost from {first:.2f} to {last:.2f} nats. "
        "Where the curve of the timing is steep the guide hurries, where it is flat the guide waits."
    )


def of_experts(result: ExpertsResult) -> list[str]:
    """Sentences about a consensus."""
    after, trusts = result.after, result.request.trusts
    heavy = sum(float(w) > 0.01 for w in result.fused.log_prior.exp())
    mean = ", ".join(f"{v:.2f}" for v in result.fused.mean())
    trusted = sum(k > 0 for k in trusts)
    said = [
        f"The fused law is exact: a mixture of {len(result.fused.means)} components, {heavy} of them heavier than 1 %, "
        f"with mean ({mean}). It is high only where every trusted expert's belief is."
        if trusted > 1
        else f"One expert is trusted alone, so the law is that belief to the power {max(trusts)}, with mean ({mean})."
    ]
    if after.disagreement > _SMALL * after.floor:
        said.append(
            f"{100 * after.disagreement / after.floor:.0f} % of the floor is disagreement: the teachers go different "
            "ways, and the best one can do is their mean by trust. The "
            "rest is the width of the tube and of the fused law."
        )
    else:
        said.append("The floor is nearly all spread: the trusted teachers agree on the way.")
    saved = result.start - result.optimum
    said.append(
        f"With the learnt guide instead of the teachers' mean the objective falls from "
        f"{result.start:.3f} to {result.optimum:.3f} ({100 * saved / abs(result.start):.0f} %)."
    )
    return said
