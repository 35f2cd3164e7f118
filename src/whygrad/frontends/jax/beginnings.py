"""Where states of optimizers begin: with new parameters, or anew with those that the same optimizer has trained."""

from collections.abc import Sequence
from typing import Any

from whygrad.frontends import source
from whygrad.frontends.jax import _compat
from whygrad.frontends.jax.derivations import leaves
from whygrad.frontends.jax.transformations import Made, Moment


class Beginnings:
    """What each optimizer made of its parameters last: a state that begins with these has forgotten what the one before it had gathered."""

    def __init__(self) -> None:
        self.trained: dict[object, dict[int, Any]] = {}
        """The arrays by the place where their optimizer is made; they are held, so that their identities stay theirs."""
        self.last: Made | None = None
        """What calculated the last update."""

    def applied(self, arrays: Sequence[Any]) -> None:
        """The last update was added to parameters, and these came of it."""
        if self.last is not None:
            self.trained[self.last.place] = {id(item): item for item in arrays}

    def returned(self, moments: Sequence[Moment], arrays: Sequence[Any]) -> None:
        """A traced step with these updates has handed these parameters out."""
        for moment in moments if arrays else ():
            if moment.kind == "update" and moment.made is not None:
                self.trained[moment.made.place] = {id(item): item for item in arrays}

    def begun(self, entry: Made, parameters: Any, trace: source.Trace | None) -> None:
        """A state is made, outside of every traced function."""
        known = self.trained.get(entry.place, {})
        if any(id(leaf) in known for leaf in leaves(parameters)):
            entry.begun_again(trace)
        entry.remade = False

    def entering(self, moments: Sequence[Moment], given: Sequence[Any], *, derived: bool) -> None:
        """A traced function is called: the states that it makes."""
        for moment in moments:
            if moment.kind == "init" and moment.made is not None and not derived:
                self.begun(moment.made, given, moment.trace)
            elif moment.kind == "init" and moment.made is not None and moment.again:
                moment.made.begun_again(moment.trace)


def mark(moments: Sequence[Moment], handed_out: Sequence[Any]) -> None:
    """Mark the states within one traced step whose first update makes the parameters that it hands out; those of an inner loop make others."""
    out = {item for item in handed_out if not _compat.is_literal(item)}
    for at, moment in enumerate(moments):
        if moment.kind == "init":
            update = next((n for n in range(at, len(moments)) if moments[n].kind == "update" and moments[n].made is moment.made), None)
            behind = moments[update + 1] if update is not None and update + 1 < len(moments) else None
            made = {_compat.variable(item) for item in behind.results.values()} if behind is not None else set()
            moment.again = not out.isdisjoint(made)
