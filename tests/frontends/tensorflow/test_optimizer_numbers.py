"""Optimizers that are made again and again, some of them where another one lay in memory."""

from whygrad.frontends.tensorflow.optimizers import Optimizers


class Made:
    """Stands for an optimizer: it can be watched weakly."""


def test_each_is_an_entry_of_its_own() -> None:
    optimizers = Optimizers()
    kept = []
    for number in range(60):
        made = Made()
        optimizers.meet(made)
        kept += [made] if number % 3 == 0 else []

    assert [entry.number for entry in optimizers.all()] == list(range(60))


def test_a_rate_that_has_long_fallen_away_is_told_once() -> None:
    optimizers, made = Optimizers(), Made()
    entry = optimizers.meet(made)
    told = []
    for step in range(80):
        optimizers.rate(entry, 1e-3 if step < 10 else 1e-7, updates=1)
        told += [step] if optimizers.fell_away(entry) else []

    assert entry.low_from == 10
    assert told == [39]


def test_a_rate_that_comes_back_has_not_fallen_away() -> None:
    optimizers, made = Optimizers(), Made()
    entry = optimizers.meet(made)
    for step in range(80):
        optimizers.rate(entry, 1e-7 if step % 20 > 14 else 1e-3, updates=1)
        assert not optimizers.fell_away(entry)
    optimizers.rate(entry, 1e-3, updates=1)

    assert entry.low_from is None
