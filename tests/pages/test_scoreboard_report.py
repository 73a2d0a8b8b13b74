"""What the Scoreboard says, for rows that are made up."""

from dataclasses import replace

from gensot_demo.experiments.scoreboard.rows import Row
from gensot_demo.experiments.scoreboard.tasks import TASKS
from gensot_demo.figures.scoreboard import price_figure, quality_figure
from gensot_demo.pages.scoreboard_report import sentences, table

FOLLOW = next(task for task in TASKS if (task.backbone, task.name) == ("plane", "follow"))
GOOD = Row(
    "plane", "follow", 0.3, "gensot", "GenSOT", "steps", steps=40, draws=500, calls=41, seconds=0.001, statistic="W2",
    distance=0.21, error=0.02, floor=0.2, spread=0.01, power=0.6,
)  # fmt: skip
BAD = replace(GOOD, method="dps", label="DPS", setting="scale", value=2.0, distance=0.8, backwards=41)
OUT = Row("plane", "follow", 0.3, "repaint", "RePaint", "steps", failed="RePaint needs a part.")


def test_the_nearest_comes_first_and_who_is_left_out_comes_last():
    text = table([BAD, OUT, GOOD], "A <caption>")
    assert text.index("GenSOT") < text.index("DPS (scale 2)") < text.index("RePaint needs a part.")
    assert "A &lt;caption&gt;" in text
    assert "1.05" in text
    assert "Judge" not in text  # no row has been judged


def test_what_a_method_calls_itself_cannot_become_markup():
    text = table([replace(GOOD, label="<img src=x onerror=alert(1)>")], "rows")
    assert "<img" not in text


def test_a_row_that_proves_nothing_is_grey_and_out_of_the_figure():
    blind = replace(GOOD, power=0.21)
    assert 'class="gensot-weak"' in table([blind], "rows")
    assert price_figure([blind]) is None
    assert sentences([blind], FOLLOW, "steps")[0].startswith("Nothing has been measured")


def test_the_sentences_name_who_is_near_and_why_gensot_is_not():
    said = sentences([GOOD, BAD], FOLLOW, "steps")
    assert said[0] == "Not to be told from exact draws by 500 samples: GenSOT."
    assert "41 passes" in said[1]
    lost = replace(GOOD, distance=0.5, setting="particles", value=8, ess=0.1, task="condition")
    told = " ".join(sentences([lost, replace(BAD, distance=0.3)], FOLLOW, "calls"))
    assert (
        "GenSOT is not the nearest here (2.50): it rests on added scores, which 8 particles mend only in part" in told
    )
    assert "10 % of them counted at worst" in told


def test_the_figures_show_a_line_per_method_in_floors_and_passes():
    figure = price_figure([GOOD, BAD, replace(BAD, value=0.5, distance=0.4)])
    by_name = {trace["name"]: trace for trace in figure["data"]}
    assert by_name["DPS"]["x"] == [82, 82]
    assert [round(y, 6) for y in by_name["DPS"]["y"]] == [2.0, 4.0]
    assert by_name["GenSOT"]["mode"] == "markers"
    judged = replace(
        GOOD, distance=None, accuracy=0.5, accuracy_error=0.06, kid=0.4, kid_error=0.1, diversity=1.1, level=1
    )
    curve = quality_figure([judged, replace(judged, level=4, accuracy=0.9, diversity=0.8)])["data"][0]
    assert (curve["x"], curve["y"]) == ([0.5, 0.9], [1.1, 0.8])
