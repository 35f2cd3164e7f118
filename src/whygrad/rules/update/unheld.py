"""Parameters that no optimizer holds, as WG401 and WG402 ask for them."""

from collections.abc import Iterable, Iterator
from itertools import takewhile

from whygrad.diagnosis import Test
from whygrad.flow import Index
from whygrad.ir import Descend, Optimizer, Parameter


def forgotten(index: Index) -> list[Parameter]:
    """Parameters of a model that get a gradient, in a recorded step or later in the run, and that no optimizer holds."""
    loose = (p for p in index.parameters.values() if p.registered and p.name not in index.held)
    return [p for p in loose if (p.trainable and p.name in index.with_gradient) or later(index, p)]


def later(index: Index, parameter: Parameter) -> bool:
    """It had a gradient at some update of the run, though perhaps it was still frozen in the recorded steps."""
    ending = index.record.endings.get(parameter.name)
    return ending is not None and ending.gradient_seen


def stands_still(index: Index, parameter: Parameter) -> bool:
    """It has the same values at the end as at the first recorded step; no recorded update changed it."""
    ending = index.record.endings.get(parameter.name)
    return not parameter.update_norm if ending is None else not ending.changed


def holder(optimizers: list[Optimizer], lost: list[Parameter]) -> Optimizer:
    """The optimizer that most likely was meant to hold them: the one whose parameters have the longest part of the name in common; of equals one that holds what another does."""
    path = lost[0].name.split(".")

    def likeness(optimizer: Optimizer) -> tuple[int, bool]:
        held = (name.split(".") for name in held_by(optimizer))
        return max((shared(path, other) for other in held), default=-1), twin_of(optimizer, optimizers) is not None

    return max(optimizers, key=likeness)


def held_by(optimizer: Optimizer) -> frozenset[str]:
    """The names of the parameters that it holds."""
    return frozenset(name for group in optimizer.groups for name in group.parameters)


def twin_of(optimizer: Optimizer, optimizers: Iterable[Optimizer]) -> Optimizer | None:
    """One that was made before and was handed the very same parameters: a copied line, as a rule. What is told by a gradient's list is not handed over where it is made."""
    if optimizer.given_site is not None:
        return None
    before = takewhile(lambda other: other is not optimizer, optimizers)
    return next((other for other in before if held_by(optimizer) and held_by(other) == held_by(optimizer)), None)


def shared(one: list[str], other: list[str]) -> int:
    """How many parts two names have in common, from the front."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))


def moved_as_well(lost: list[Parameter]) -> Test:
    """An experiment: a few updates on copies, with what no optimizer holds moved as well."""
    return moved_too(p.name for p in lost)


def moved_too(names: Iterable[str]) -> Test:
    """An experiment: a few updates on copies, with these parameters moved, which the program leaves where they are."""
    return Test(Descend(joined=tuple(sorted(names))), "with them moved as well the loss of the batch ends lower")


def modules_of(index: Index, lost: list[Parameter]) -> list[str]:
    """The largest modules all of whose parameters are lost; a parameter's own name where its module holds others."""
    names = {parameter.name for parameter in lost}
    kept = {prefix for name in index.parameters if name not in names for prefix in heads(name)}
    return list(dict.fromkeys(next((prefix for prefix in heads(p.name) if prefix not in kept), p.name) for p in lost))


def heads(name: str) -> Iterator[str]:
    """The modules that a name lies in, largest first: `a` and `a.b` for `a.b.weight`."""
    parts = name.split(".")
    return (".".join(parts[:depth]) for depth in range(1, len(parts)))
