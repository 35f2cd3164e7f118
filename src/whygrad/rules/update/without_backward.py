"""The part of WG414 that tells of an optimizer that steps again and again in a program that runs no backward at all."""

import re
from collections.abc import Iterator

from whygrad.diagnosis import Diagnosis, Evidence, Fact, Remedy
from whygrad.flow import Index, StepIndex
from whygrad.flow.timeline import Moment, timeline
from whygrad.idioms import speaks_torch
from whygrad.ir import Site, Value
from whygrad.rules.phrases import listed, places, plural
from whygrad.rules.remedies import in_front, remedy

FEW = 2
"""Updates that are needed to say so: with one alone, a program may just try out that its parts fit together."""


def without_backward(index: Index) -> Iterator[Diagnosis]:
    """What is said where a loss is made and nothing ever asks for its gradient."""
    if index.record.outcome.backwards_seen or not speaks_torch(index):
        return
    moments = [m for m in index.once(timeline) if m.event.kind == "optimizer_step"]
    optimizers = [o for o in index.record.optimizers if o.steps >= FEW]
    losses = [(m, found) for m in moments if (found := _loss(m.step)) is not None]
    if optimizers and losses and all(m.event.attributes.get("idle") for m in moments):
        yield _about(losses[0][0], *losses[0][1], optimizers[0].name, optimizers[0].steps)


def _loss(step: StepIndex) -> tuple[Value, Site] | None:
    """The number that the step came to last, of parameters and with a gradient to be had, and where; None in a step that is no training."""
    # timid: trials of a schedule step an optimizer without a forward, and hand-made gradients come with values that carry none
    for op in reversed(step.graph.ops):
        value = step.value(op.output) if op.outputs else None
        if value is not None and value.shape == () and value.differentiable and op.site and value.name in step.depends_on_parameters:
            return value, op.site
    return None


def _about(moment: Moment, loss: Value, made: Site, optimizer: str, count: int) -> Diagnosis:
    name = _variable(made) or "loss"
    names = tuple(p.name for p in moment.step.step.parameters if p.trainable and p.optimizer in moment.event.targets)
    return Diagnosis(
        "WG414",
        "wrong-order",
        "error",
        "proved",
        f"`{optimizer}` steps {plural(count, 'time')}, and no backward is ever run: no parameter has a gradient",
        site=moment.event.site or made,
        label="has no gradient to step with",
        related=places((made, f"`{name}` is made here, and nothing asks for its gradient")),
        evidence=(
            Evidence(f"{plural(count, 'update')} and no backward in the whole run", "updates", count),
            Evidence(f"{listed(names)} had no gradient at any recorded update, and nothing moved", "parameters", len(names)),
        ),
        help=f"call `{name}.backward()` before the step",
        facts=frozenset({Fact("no-backward", loss.name)}),
        explains=frozenset(Fact(what, name) for name in names for what in ("unmoved", "no-gradient")),
        kind=moment.step.step.kind,
        step=moment.step.step.index,
        names=names,
        remedy=_called(made, moment.event.site),
    )


def _variable(made: Site) -> str:
    """The name that the line gives to what it makes."""
    found = re.match(r"\s*([A-Za-z_]\w*)\s*(?::[^=]*)?[-+*/]?=[^=]", made.text)
    return found[1] if found else ""


def _called(made: Site, step: Site | None) -> Remedy | None:
    """The backward in front of the step, where the loss has a name there."""
    name = _variable(made)
    if step is None or not name or (made.file, made.function) != (step.file, step.function):
        return None
    return remedy(f"run the backward of `{name}`", in_front(step, f"{name}.backward()"))
