"""The flat inputs of a jitted function: which of them are known by a name."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from whygrad.frontends.jax import _compat
from whygrad.frontends.jax.building import Facts

if TYPE_CHECKING:
    from whygrad.frontends.jax.plans import Plan


def named(plan: "Plan", facts: Sequence[Facts]) -> Iterator[tuple[int, str]]:
    """Places among a function's flat inputs, with the names that a recorded step has for them."""
    places_of = {variable: at for at, variable in enumerate(plan.closed.jaxpr.invars)}
    for program, nest, known in zip(plan.programs, plan.nests, facts, strict=False):
        for number, item in program.given.items() if not nest.path else ():
            at = places_of.get(item) if not _compat.is_array(item) else None
            if at is not None and number in known.names:
                yield at, known.names[number]


def parameters_of(plan: "Plan", given: Sequence[Any]) -> Mapping[str, Any]:
    """What is differentiated by, as far as a call is given it; nothing where more or fewer inputs were given than were traced, settings left out."""
    places_of = {variable: at for at, variable in enumerate(plan.closed.jaxpr.invars)}
    given = given if len(given) == len(places_of) else [item for item in given if _compat.is_array(item)]
    if len(places_of) != len(given):
        return {}
    found: dict[str, Any] = {}
    for program, nest in zip(plan.programs, plan.nests, strict=True):
        for argument in program.derivation.parameters if not nest.path else ():
            item = program.given.get(argument.number)
            at = places_of.get(item) if item is not None and not _compat.is_array(item) else None
            found |= {argument.path: given[at]} if at is not None else {}
    return found
