"""The part of WG415 about programs that stopped because a parameter's name was bound to a new tensor: `w = w - rate * w.grad`."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from whygrad.diagnosis import Diagnosis, Edit, Evidence, Fact, Remedy
from whygrad.flow import Index, StepIndex
from whygrad.flow.failures import Failure, consequences, gist, matching
from whygrad.idioms import idiom, speaks_torch
from whygrad.ir import Op, Parameter
from whygrad.rules.phrases import listed, places, typed
from whygrad.rules.remedies import remedy

STOPPED = re.compile(r"does not require grad and does not have a grad_fn|NoneType")
"""What PyTorch says when a result is differentiated that no graph is behind, and Python where such a result has no `.grad`."""
RESULTS = ("sub", "add", "mul")
_ASSIGNED = re.compile(r"\s*([A-Za-z_][\w.\[\]'\"]*)\s*=(?!=)")
_WRITTEN = (".data", ".grad")
"""Attributes that a tensor keeps: to assign to them binds no name."""


@dataclass(frozen=True, slots=True)
class Rebound:
    """An op after the backward whose result took a parameter's name."""

    op: Op
    parameter: Parameter
    name: str
    """As the program writes it."""


def rebound(index: Index) -> Iterator[Diagnosis]:
    """Programs without an optimizer whose second backward, or what reads its gradients, found a result in a parameter's place."""
    if not speaks_torch(index) or index.record.optimizers:
        return
    for failure, _ in matching(index, STOPPED):
        step = failure.step
        found = list(_taken(step, failure)) if step is not None else []
        if step is not None and found:
            yield _about(index, failure, step, found)


def _taken(step: StepIndex, failure: Failure) -> Iterator[Rebound]:
    """Results that the stopping line asks for a gradient of, or that the loss it differentiates was computed from."""
    known = {p.value: p for p in step.step.parameters if p.trainable}
    backward = next((event.at for event in step.events("backward")), len(step.graph.ops))
    text = failure.site.text if failure.site is not None else ""
    for at, op in enumerate(step.graph.ops):
        origin = next((step.origin(name, ("layout", "cast", "detach")) for name in op.inputs[:1]), "")
        name = _assigned(op)
        if at < backward or op.kind not in RESULTS or origin not in known or not name or op.attributes.get("inplace"):
            continue
        same = step.value(op.output).shape == step.value(origin).shape
        asked = f"{name}.grad" in text or (not op.tracking and bool(step.consumers.get(op.output)) and "NoneType" not in failure.message)
        if same and asked:
            yield Rebound(op, known[origin], name)


def _assigned(op: Op) -> str:
    """The name, attribute or element that the op's line gives its result; "" where it gives none."""
    found = _ASSIGNED.match(op.site.text) if op.site is not None else None
    return found[1] if found is not None and not found[1].endswith(_WRITTEN) else ""


def _about(index: Index, failure: Failure, step: StepIndex, found: list[Rebound]) -> Diagnosis:
    first, names = found[0], list(dict.fromkeys(one.name for one in found))
    made = step.value(first.op.output)
    lost = "has no `.grad`" if first.op.tracking else "asks for no gradient"
    here = failure.site is not None and first.op.site is not None and failure.site.line_of_code == first.op.site.line_of_code
    return Diagnosis(
        "WG415",
        "updated-copy",
        "error",
        "proved",
        f"the first update binds {listed(names)} to a new tensor, which is no parameter and {lost}",
        site=first.op.site,
        label="makes a new tensor and gives it the parameter's name",
        related=places((None if here else failure.site, "the program stops here")),
        evidence=(
            Evidence(
                f"`{first.op.kind}` makes {typed(made)} from the parameter after the backward; it is no parameter", "updates", len(found)
            ),
            Evidence(f"{failure.type}: {gist(failure.message)[:160]}", "exception"),
        ),
        help=f"{idiom(index, 'in place')}; and clear the gradient after it: `p.grad = None`",
        facts=frozenset(Fact("unmoved", one.parameter.name) for one in found),
        explains=consequences(failure, step) | {Fact("idle", one.op.output) for one in found},
        kind=step.step.kind,
        step=step.step.index,
        names=tuple(names),
        remedy=_in_place(found),
    )


def _in_place(found: list[Rebound]) -> Remedy | None:
    """The same lines in place, where gradient tracking is off around them."""
    if any(one.op.tracking or one.op.site is None for one in found):
        return None
    return remedy("update in place", *(Edit("augment", one.op.site) for one in found if one.op.site is not None))
