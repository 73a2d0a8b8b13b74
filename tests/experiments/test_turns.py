"""Long work in turns: what closes it closes the work too."""

from gensot_demo.experiments.turns import in_turn, retold


def test_work_cut_short_is_closed_and_whole_work_gives_its_result():
    ended = []

    def work():
        try:
            yield 1
            yield 2
        finally:
            ended.append(True)
        return 3

    moments = in_turn(work())
    assert next(moments) == 1
    assert not ended
    moments.close()
    assert ended == [True]

    def whole():
        found = yield from retold(in_turn(work()), lambda moment: 10 * moment)
        yield found

    assert list(whole()) == [10, 20, 3]
