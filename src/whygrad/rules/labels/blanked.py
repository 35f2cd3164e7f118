"""The part of WG103 about labels that the step itself makes all alike, whatever they were."""

from collections.abc import Iterator
from dataclasses import dataclass

from whygrad.diagnosis import Diagnosis, Evidence, Fact, Test
from whygrad.flow import Index, StepIndex
from whygrad.ir import Bypass, Op, Site
from whygrad.loss_contracts import target_of
from whygrad.rules.phrases import figure, places, plural

_KEEPING = ("layout", "cast", "select", "copy")
"""What hands labels on."""


@dataclass(frozen=True, slots=True)
class Blanked:
    """Labels of one step, and the op that leaves nothing of them."""

    step: StepIndex
    op: Op
    source: str
    """What they were."""
    loss: Op
    target: str
    at: float


def blanked(index: Index) -> Iterator[Diagnosis]:
    """Kinds of step of which each recorded one blanks all that its losses compare with."""
    said = []
    for steps in index.kinds.values():
        found = [of_step(step) for step in steps if step.losses]
        sites = {one.op.site for one in found if one is not None}
        if found and None not in found and len(sites) == 1 and found[0] is not None and None not in sites:
            said.append((found[0], len(found)))
    # timid: ones for what is real and zeros for what was made tell a critic what it is to tell apart
    if len({one.at for one, _ in said}) == 1:
        yield from (_about(*one) for one in said)


def of_step(step: StepIndex) -> Blanked | None:
    """What is blanked in one step, where no loss has labels that are left."""
    found: list[Blanked] = []
    for loss, target in _compared(step):
        one = _blanked(step, loss, target)
        # timid: one target that is switched off beside others that vary is meant so
        if one is None:
            return None
        found.append(one)
    return found[0] if len({one.at for one in found}) == 1 else None


def _compared(step: StepIndex) -> list[tuple[Op, str]]:
    """What losses compare predictions with; where none is known, what differences on the way to what is differentiated do."""
    losses = [(op, target) for op in step.loss_ops() if not op.failed and (target := target_of(op)) is not None]
    differences = (op for op in step.graph.ops if op.kind == "sub" and not losses and not step.shapes_loss.isdisjoint(op.outputs))
    pairs = losses or [(op, name) for op in differences if len(set(op.inputs) & step.depends_on_parameters) == 1 for name in op.inputs]
    return [(op, target) for op, target in pairs if target not in step.depends_on_parameters]


def _blanked(step: StepIndex, loss: Op, target: str) -> Blanked | None:
    """Where this target lost all that it said, if it did."""
    figures = step.value(target).statistics
    made = step.producer.get(step.origin(target, _KEEPING))
    if made is None or figures is None or figures.sampled or figures.minimum is None or figures.minimum != figures.maximum:
        return None
    source = _source(step, made[1])
    if source is None or source not in step.values or not step.value(source).shape or source in step.depends_on_parameters:
        return None
    # timid: a critic's targets may have the form of the examples
    read = frozenset(name for other in loss.inputs if other != target for name in step.upstream(other))
    return (
        Blanked(step, made[1], source, loss, target, figures.minimum) if read.isdisjoint({source, step.origin(source, _KEEPING)}) else None
    )


def _source(step: StepIndex, op: Op) -> str | None:
    """What an op makes one number of, whatever it holds: times 0, less itself, or filled in the same form."""
    like = op.attributes.get("like")
    if op.kind == "create" and isinstance(like, str):
        return like
    if op.kind == "sub" and len(op.inputs) == 2 and op.inputs[0] == op.inputs[1]:  # noqa: PLR2004 - a difference
        return op.inputs[0]
    # by a number that is written there: a second input would be a mask
    nothing = op.kind == "mul" and len(op.inputs) == 1 and (op.attributes.get("by") == 0 or _varies(step, op.inputs[0]))
    return op.inputs[0] if nothing else None


def _varies(step: StepIndex, name: str) -> bool:
    """It holds different numbers, of which a product that is one number leaves nothing."""
    figures = step.value(name).statistics
    return figures is not None and figures.minimum is not None and figures.minimum != figures.maximum


def _about(found: Blanked, steps: int) -> Diagnosis:
    step, op = found.step, found.op
    name, kind = step.value(found.source).shown, step.step.kind
    target = step.value(found.target)
    site: Site | None = op.site
    return Diagnosis(
        rule="WG103",
        name="constant-labels",
        severity="warning",
        confidence="proved",
        message=f"every label is {figure(found.at)}: the step itself makes them so, whatever `{name}` holds",
        site=site,
        label=f"leaves nothing of `{name}`",
        related=places((found.loss.site, "the loss compares with them here")),
        evidence=(
            Evidence(
                f"`{target.shown}`, which the loss compares with, is {figure(found.at)} throughout in {plural(steps, 'recorded step')}",
                "labels",
                found.at,
            ),
        ),
        help=f"hand the loss `{name}` as it comes",
        facts=frozenset({Fact("constant", target.name), *(Fact("constant", label) for label in step.step.labels.values)}),
        explains=frozenset(
            {Fact("insensitive", str(kind)), *(Fact("unread", label) for label in (found.source, *step.step.labels.values))}
        ),
        kind=kind,
        step=step.step.index,
        names=(name,),
        test=Test(Bypass((op.output,)), f"with `{name}` as it comes the loss has another gradient") if op.kind != "create" else None,
    )
