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
