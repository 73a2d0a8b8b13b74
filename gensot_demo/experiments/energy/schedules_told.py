"""What a comparison of schedules says, in sentences; for the page and for the endpoint."""

from __future__ import annotations

from .schedules_result import IN_NOISE, ROUNDING, STEPS, Ride, SchedulesResult, rounded


def _scalar(result: SchedulesResult) -> list[Ride]:
    return [ride for ride in result.rides if ride.name != "ot"]


def of_speed(result: SchedulesResult) -> list[str]:
    """Which schedule is cheapest, how far from the floor, and where energies are infinite."""
    lines = []
    comparable = [ride for ride in _scalar(result) if ride.name not in IN_NOISE]
    if comparable:
        cheap, dear = (pick(comparable, key=lambda ride: ride.energy) for pick in (min, max))
        floor = rounded(2 - 2 * result.correlation)
        if floor == 0:
            return [_of_one_law(comparable), *_of_others(result)]
        line = f"From N(0, 1) the cheapest motion at all, optimal transport, has energy {floor:.4g}{_plus(result)}"
        line += f"; {cheap.label} needs {cheap.energy:.4g}"
        lines.append(line + (f" and {dear.label} {dear.energy:.4g}." if dear is not cheap else "."))
    return lines + _of_others(result)


def _of_one_law(rides: list[Ride]) -> str:
    still = [ride.label for ride in rides if ride.energy == 0]
    moved = [f"{ride.label} spends {ride.energy:.3g}" for ride in rides if ride.energy > 0]
    line = "Noise and data are one law: nothing need move"
    line += f", and with {_and(still)} nothing does." if still else "."
    return line + (f" {_and(moved)} to squeeze the cloud and let it go." if moved else "")


def _and(words: list[str]) -> str:
    return " and ".join([", ".join(words[:-1])] * (len(words) > 1) + words[-1:])


def _of_others(result: SchedulesResult) -> list[str]:
    """What starts elsewhere, and whose energies are infinite."""
    lines = []
    wide = result.ride("ve")
    if wide is not None:
        lines.append(
            f"VE starts 80 standard deviations wide and has to come in: energy {wide.energy:.5g}, of which any motion "
            f"from there would need {wide.floor:.5g}. It leaves the frame."
        )
    point = result.ride("gensot")
    if point is not None:
        lines.append(
            "GenSOT starts from one point, which no flow leaves with finite energy (v² grows as 1/t): it is counted "
            f"from t = {point.interval[0]:g}."
        )
    cut = [ride.label for ride in _scalar(result) if ride.interval[1] < 1]
    if cut:
        lines.append(
            f"{' and '.join(cut)} would need infinite energy to end on single points, growing with the logarithm of "
            "the time left: counted to t = 1 - 1e-5."
        )
    return lines


def _plus(result: SchedulesResult) -> str:
    if not result.draws:
        return ""
    error = 2 * result.correlation_error
    return f" ± {error:.2g} (best pairing of {result.draws} noises with their ends; a little too high on average)"


def of_ends(result: SchedulesResult) -> list[str]:
    """Whether all schedules end in the same place, and what differs."""
    known = [ride for ride in _scalar(result) if ride.parting is not None]
    if not known:
        return []
    truth = "the exact quantile of the same noise" if not result.draws else "the end that all of them share"
    fine, rough = _split(known)
    lines = []
    if fine:
        most = max(ride.parting for ride in fine)
        names = ", ".join(ride.label for ride in fine)
        lines.append(f"{names}: no end is farther than {_tiny(most)} standard deviations from {truth}.")
    for ride in rough:
        lines.append(f"{ride.label}: up to {ride.parting:.2g} (the farthest end), {_why(ride, result)}")
    if result.ride("ot") is not None:
        if result.parted is None:
            lines.append("On a line even optimal transport is this map: both keep the order of the particles.")
        elif result.parted < ROUNDING:
            lines.append(
                f"Optimal transport pairs each of the {result.draws} noises with the very end to which the flows go: "
                "where the two maps differ, it is by less than so many draws can show."
            )
        else:
            lines.append(
                "Optimal transport is another map: the ends that it gives the same noise lie "
                f"{result.parted:.2g} standard deviations away (root mean square over {result.draws} draws)."
            )
    return lines


def _split(rides: list[Ride]) -> tuple[list[Ride], list[Ride]]:
    finite = [ride for ride in rides if ride.name in ("vp", "ve") or ride.parting > 1e-4]
    return [ride for ride in rides if ride not in finite], finite


def _why(ride: Ride, result: SchedulesResult) -> str:
    if ride.name == "ve":
        text = "since noise of 80 standard deviations still shows a little of the data, and the start ignores it"
        return text + ("; that is enough for another picture." if result.request.data == "emoji" else ".")
    if ride.name == "vp":
        return "since it starts at t = 0 with some data in it, a(0) = .0066, and the start ignores them."
    return "an error of the integrator where velocities are steep."


def _tiny(value: float) -> str:
    return "1e-9" if value < ROUNDING else f"{value:.1e}"


def of_steps(result: SchedulesResult) -> list[str]:
    """Which schedule is nearest at few and at many steps."""
    rides = [ride for ride in _scalar(result) if ride.errors]
    if not rides:
        return []
    lines = []
    for steps in (8, 64):
        known = [ride for ride in rides if steps in ride.errors]
        if known:
            near, far = (pick(known, key=lambda ride: ride.errors[steps]) for pick in (min, max))
            line = (
                f"At {steps} steps {near.label} is {near.errors[steps]:.2g} standard deviations off (root mean square)"
            )
            lines.append(line + (f", {far.label} {far.errors[steps]:.2g}." if far is not near else "."))
    alone = [ride.label for ride in rides if (ride.alone or 0) > 0.5 and max(ride.errors) == STEPS[-1]]
    if alone and result.request.data == "plane":
        lines.append(
            f"Where curves level off: of {result.stepped} draws a single one, led to another branch of the data, makes "
            f"up most of the distance that is left at {STEPS[-1]} steps with {_and(alone)}."
        )
    if result.request.data == "emoji":
        lines.append(
            "Here the data are single points, and a distance is mostly a matter of which picture is reached: least "
            "energy is no promise."
        )
    return lines
