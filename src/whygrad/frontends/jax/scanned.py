"""Loops over rows that hand a state on: which of what they are given they walk along."""

from collections.abc import Mapping, Sequence

from whygrad.frontends.jax.tape import Bound
from whygrad.ir import Attribute

_SEQUENCE = 3
"""Axes of a sequence: positions, examples, features."""


def walked(bound: Bound, names: Mapping[int, str], inputs: Sequence[str]) -> dict[str, Attribute]:
    """The axis that a `scan` walks along and the place of what it walks, where it has one sequence and a state for each of the sequence's examples."""
    if bound.primitive is None or bound.primitive.name != "scan":
        return {}
    consts, carries = int(bound.params["num_consts"]), int(bound.params["num_carry"])
    before, given = consts + carries, bound.params["jaxpr"].in_avals
    rows = [(at, item) for at, item in enumerate(bound.inputs) if at >= before and len(given[at].shape) == _SEQUENCE - 1]
    at, item = rows[0] if len(rows) == 1 else (0, None)
    name = names.get(item) if isinstance(item, int) else None
    if name not in inputs or name is None:
        return {}
    states = [aval.shape for aval in given[consts:before]]
    if not any(len(shape) == _SEQUENCE - 1 and shape[0] == given[at].shape[0] for shape in states):
        return {}
    return {"sequence_axis": 0, "sequence": list(inputs).index(name)}
