"""The part of WG508 about a loss that a function of it makes huge, and its gradient as much larger: the exponential of a cross-entropy, say."""

from collections.abc import Iterator

from whygrad.diagnosis import Diagnosis, Edit, Evidence, Fact
from whygrad.flow import Index, StepIndex
from whygrad.flow.changes import backward_site
from whygrad.ir import Op
from whygrad.rules.phrases import figure, finite, places
from whygrad.rules.remedies import remedy

GROWING = ("exp", "pow", "square")
"""What makes of a number a far larger one, and multiplies the gradient by no less."""
TIMES = 1e6
"""How many times as large as the loss its function must be. The loss scales of mixed precision, which are meant, begin at 65,536 and are products; a perplexity of 1e6 says nothing of any text."""


def swollen(index: Index, later: frozenset[Fact], step: StepIndex) -> Iterator[Diagnosis]:
    """One for the first recorded step, if a later one of its kind is not finite any more."""
    if not any(Fact("non-finite", name) in later for one in index.steps for name in one.losses if one.step.index > step.step.index):
        return
    lossy = step.downstream(name for op in step.loss_ops() for name in op.outputs)
    for op in step.graph.ops:
        if op.kind in GROWING and op.inputs and op.inputs[0] in lossy and not step.shapes_loss.isdisjoint(op.outputs):
            before, after = _size(step, op.inputs[0]), _size(step, op.output)
            if before is not None and after is not None and after >= TIMES * max(1.0, before):
                yield _diagnosis(step, op, before, after, later)
                return


def _size(step: StepIndex, name: str) -> float | None:
    figures = step.value(name).statistics
    largest = figures.maximum if figures is not None else None
    return largest if largest is not None and finite(largest) and largest > 0 else None


def _diagnosis(step: StepIndex, op: Op, before: float, after: float, later: frozenset[Fact]) -> Diagnosis:
    """What is said, at the function."""
    kind, measured = str(step.step.kind), step.step.measures.gradient_norm
    return Diagnosis(
        rule="WG508",
        name="exploding-gradient",
        severity="warning",
        confidence="measured",
        message=f"`{op.kind}` makes {figure(after)} of a loss of {figure(before)}, and the gradient as much larger",
        site=op.site,
        label="the loss goes through this function",
        related=places((backward_site(step), "the loss differentiated here")),
        evidence=(
            *((Evidence(f"the gradient has the norm {figure(measured)} in step {step.step.index}", "gradient_norm", measured),) if measured is not None else ()),
            Evidence("the update that follows puts an end to all numbers: the next loss of this kind is not finite"),
        ),
        help="differentiate the loss itself: such a function of it has its smallest value at the same parameters; or limit what the function is given",
        facts=frozenset({Fact("explodes", kind)}),
        explains=later
        | {Fact(what, kind) for what in ("diverges", "stands", "insensitive", "overflow")}
        | {Fact("unmoved", p.name) for p in step.step.parameters},
        kind=step.step.kind,
        step=step.step.index,
        names=(step.value(op.output).shown,),
        remedy=remedy("differentiate the loss itself", Edit("unwrap", op.site), changes="examples that cost much no longer count for so much more") if op.kind == "exp" and op.site is not None else None,
    )  # fmt: skip
