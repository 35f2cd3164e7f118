"""The part of WG317 about a weight that is transposed once, when the model is made, for a layer that was meant to share it."""

from collections.abc import Iterator

from whygrad.diagnosis import Diagnosis, Evidence
from whygrad.flow import Index, StepIndex
from whygrad.ir import Op, Parameter
from whygrad.rules.phrases import places, typed

_MAPS = ("matmul", "linear")
_KEPT = ("transpose", "copy", "cast", "detach", "reshape", "leave", "enter")
"""What leaves the numbers of a weight as they are."""


def transposed_once(index: Index) -> Iterator[Diagnosis]:
    """One for each weight of which all recorded steps of a kind read the same transposed numbers, although it is trained."""
    for steps in index.kinds.values():
        first, last = steps[0], steps[-1]
        for op in last.of(*_MAPS) if len(steps) > 1 else ():
            copy = next((name for name in op.inputs[1:2] if name in first.consumers and not op.carrying[1]), None)
            made = _made_of(index, last, copy) if copy is not None and op.carrying[0] else None
            if made is not None and copy is not None and not last.shapes_loss.isdisjoint(op.outputs):
                yield _diagnosis(last, op, copy, *made)


def _made_of(index: Index, step: StepIndex, name: str) -> tuple[Parameter, Op] | None:
    """The trained parameter that it is the transpose of, and the op that transposed it, if both stood before the step."""
    turned: Op | None = None
    while name in step.producer:
        op = step.producer[name][1]
        if op.kind not in _KEPT or any(op.carrying) or not op.inputs:
            return None
        turned, name = op if op.kind == "transpose" else turned, op.inputs[0]
    origin = step.values.get(name)
    if turned is None or origin is None or origin.role != "parameter":
        return None
    trained = (p for p in step.step.parameters if p.trainable and p.gradient == "finite" and (p.update_norm or 0.0) > 0)
    own = {p.name for each in index.steps for p in each.step.parameters if p.value == name}
    # timid: what is made within the step of the weight as it is then is cut off on purpose
    return next(((p, turned) for p in trained if p.name in own and p.value != name), None)


def _diagnosis(step: StepIndex, op: Op, copy: str, parameter: Parameter, turned: Op) -> Diagnosis:
    return Diagnosis(
        "WG317",
        "broken-tie",
        "warning",
        "proved",
        f"the transpose of `{parameter.name}` is taken once, when the layer is made: the layer that shares it goes on with the numbers of that time",
        site=turned.site,
        label="copies the numbers, and is not run again",
        related=places(
            (op.site, "the forward multiplies with the copy"), (parameter.site, f"`{parameter.name}` is made here, and trained")
        ),
        evidence=(
            Evidence(f"{typed(step.value(copy))} is the same value in all recorded steps, while `{parameter.name}` is updated"),
            Evidence("no gradient comes back through it to the weight"),
        ),
        help=f"transpose in the forward, which runs anew in each step: keep the layer that has `{parameter.name}`, and read its weight there",
        kind=step.step.kind,
        step=step.step.index,
        names=(parameter.name,),
    )
