"""Where labels that are all ignored became so: the line that wrote the number over them, and the cut that took away what it had left."""

from math import prod

from whygrad.flow import StepIndex
from whygrad.ir import Op, Site, family

_PICKED = ("layout", "select")


def cut_off(step: StepIndex, name: str) -> tuple[Op | None, Op] | None:
    """The slice from the start behind which nothing but what had been written over is left, if there is one, and the write of a plain number before it.

    None where the labels were not written over, or where a mask said which of them: how much it left is not known.
    """
    cut = None
    while name in step.producer:
        op = step.producer[name][1]
        if family(op.kind) not in _PICKED or not op.inputs:
            return None
        if op.kind == "write":
            return (cut, op) if len(op.inputs) == 1 else None
        if op.kind == "index" and len(op.inputs) == 1 and _keeps_the_start(step, op):
            cut = op
        name = op.inputs[0]
    return None


def _keeps_the_start(step: StepIndex, op: Op) -> bool:
    """It leaves out what stands at the end of an axis."""
    before, after, part = step.value(op.inputs[0]).shape, step.value(op.output).shape, op.attributes.get("part")
    if before is None or after is None or len(before) != len(after) or prod(after) >= prod(before):
        return False
    return isinstance(part, tuple) and part[:1] == (0,)


def places_of_cut(found: tuple[Op | None, Op] | None) -> tuple[Site | None, tuple[Site | None, str]]:
    """The place to name, and the one beside it."""
    if found is None:
        return None, (None, "")
    cut, write = found
    return (cut.site, (write.site, "the others are written over here")) if cut is not None else (write.site, (None, ""))
