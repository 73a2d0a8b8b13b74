"""A run that is kept is not made again; one that is not is made, told on its way, and kept at its end."""

from dataclasses import dataclass

import pytest

from gensot_demo.experiments.runs import RunStore, kept_or_made


@dataclass(frozen=True)
class Run:
    request: str
    complete: bool = True
    cut: bool = False


@pytest.fixture
def store():
    return RunStore(capacity=3, size=lambda run: 1)


def test_it_is_made_once(store):
    made = []

    def run(request):
        made.append(request)
        yield Run(request, complete=False)
        yield Run(request)

    assert [moment.complete for moment in kept_or_made(store, run, "one")] == [False, True]
    assert list(kept_or_made(store, run, "one")) == [Run("one")]
    list(kept_or_made(store, run, "two"))
    assert made == ["one", "two"]


@pytest.mark.parametrize("last", [Run("one", complete=False), Run("one", cut=True)])
def test_what_did_not_come_to_its_end_is_not_kept(store, last):
    list(kept_or_made(store, lambda request: iter([last]), "one"))
    assert store.find("one") is None


def test_what_a_visitor_left_is_not_kept(store):
    moments = kept_or_made(store, lambda request: iter([Run(request), Run(request)]), "one")
    next(moments)
    moments.close()
    assert store.find("one") is None
