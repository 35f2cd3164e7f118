"""The part of WG705 on sums and joins inside a model that raised, as of a skip connection round layers that change the shape."""

from collections.abc import Iterator

from whygrad.diagnosis import Diagnosis, Evidence
from whygrad.flow import StepIndex
from whygrad.flow.failures import Failure, consequences, gist
from whygrad.idioms import spelled
from whygrad.ir import Op, Site, Value
from whygrad.rules.phrases import places, typed

_SUMS = ("add", "sub", "mul", "div")
_ROWS_AND_CHANNELS = 2
"""Axes in front of those along which a picture or a signal lies."""


def unfit_sums(failure: Failure, step: StepIndex, op: Op) -> Iterator[Diagnosis]:
    """What is said of two values that the model computed and that do not fit."""
    made = [step.value(name) for name in op.inputs if name in step.depends_on_parameters or step.value(name).role == "parameter"]
    if op.kind not in (*_SUMS, "concat") or len(made) < 2 or len(made) < len(op.inputs):  # noqa: PLR2004 - two sides
        return
    one, other = made[0], next((value for value in made[1:] if _odd_axes(op, made[0], value)), made[1])
    odd = _odd_axes(op, one, other)
    if odd:
        yield _about(failure, step, op, (one, other), odd)


def _odd_axes(op: Op, one: Value, other: Value) -> tuple[int, ...]:
    """Axes, counted from the first, on which the sizes differ and neither is stretched; of a join the axis that it joins along may differ."""
    mine, theirs = one.shape, other.shape
    if not mine or not theirs or (op.kind == "concat" and len(mine) != len(theirs)):
        return ()
    pairs = list(zip(reversed(mine), reversed(theirs), strict=False))
    found = [max(len(mine), len(theirs)) - 1 - at for at, (a, b) in enumerate(pairs) if a != b and (op.kind == "concat" or 1 not in (a, b))]
    joined = op.attributes.get("axis", 0)
    if op.kind == "concat" and isinstance(joined, int):
        found = [axis for axis in found if axis != joined % len(mine)]
    return tuple(sorted(found))


def _about(failure: Failure, step: StepIndex, op: Op, sides: tuple[Value, Value], odd: tuple[int, ...]) -> Diagnosis:
    early, late = sides if sides[0].name in step.upstream(sides[1].name) else (sides[1], sides[0])
    changing = _changing(step, early, late, odd)
    verb = "joined with" if op.kind == "concat" else "combined with" if op.kind != "add" else "added to"
    sizes = ", ".join(f"axis {axis} is {_size(late, sides, axis)} and {_size(early, sides, axis)}" for axis in odd)
    between = f": {_shown(changing)} changed its shape on the way" if changing is not None else ""
    return Diagnosis(
        "WG705",
        "input-shape",
        "error",
        "proved",
        f"`{late.shown}` ({late.type}) can't be {verb} `{early.shown}` ({early.type}){between}",
        site=op.site or failure.site,
        label=f"the shapes differ: {sizes}",
        related=places((_declared(changing), f"{_shown(changing)} makes another shape")),
        evidence=(
            *((Evidence(_turned(step, changing), "shape"),) if changing is not None else ()),
            Evidence(f"the call raised: {(gist(failure.message) or failure.type).rstrip('.')[:200]}"),
        ),
        help=_advice(op, early, skipped=changing is not None),
        explains=consequences(failure, step),
        kind=step.step.kind,
        step=step.step.index,
        names=(late.shown, early.shown),
    )


def _size(value: Value, sides: tuple[Value, Value], axis: int) -> int:
    shape = value.shape or ()
    return shape[axis - max(len(side.shape or ()) for side in sides)]


def _changing(step: StepIndex, early: Value, late: Value, odd: tuple[int, ...]) -> Op | None:
    """The first call on the way from one to the other that made another size of the axis that does not fit."""
    way = step.downstream((early.name,)) & step.upstream(late.name)
    for op in step.graph.ops if early.name in step.upstream(late.name) else ():
        given = next((step.value(name).shape for name in op.inputs if name in way), None)
        made = step.value(op.output).shape if op.outputs and op.output in way else None
        if given and made and (len(given) != len(made) or any(axis < len(made) and given[axis] != made[axis] for axis in odd)):
            return op
    return None


def _shown(op: Op | None) -> str:
    return f"`{op.module or spelled(op)}`" if op is not None else ""


def _declared(op: Op | None) -> Site | None:
    return (op.made if op.module else None) or op.site if op is not None else None


def _turned(step: StepIndex, op: Op) -> str:
    return f"{_shown(op)} makes {typed(step.value(op.output))} of {typed(step.value(op.inputs[0]))}"


def _advice(op: Op, early: Value, *, skipped: bool) -> str:
    if op.kind == "concat":
        return "bring one to the size of the other before they are joined: crop or pad it, or resize it to the other's own size, and choose sizes that halve evenly"
    if not skipped:
        return "give both the same sizes on these axes; a size of 1 is stretched"
    picture = len(early.shape or ()) > _ROWS_AND_CHANNELS
    projection = "a 1x1 convolution with the same stride and number of channels" if picture else "a linear layer of the same width"
    return f"let what skips the layers go through {projection}, or let the layers keep the shape"
