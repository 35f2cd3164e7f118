"""WG702: a step computes a loss and does not hand it on."""

from collections.abc import Iterator

from whygrad.diagnosis import Diagnosis, Edit, Evidence, Fact, Remedy
from whygrad.flow import Index, StepIndex
from whygrad.flow.failures import Failure, consequences, gist, matching
from whygrad.flow.scopes import enclosing
from whygrad.ir import Op, Scope, Site, Value, family
from whygrad.rules import rule
from whygrad.rules.phrases import distinct, places, typed
from whygrad.rules.remedies import remedy
from whygrad.rules.wiring.labels_not_passed import NONE

STEPS = ("training_step", "compute_loss")
"""Functions that a framework calls for the loss."""


@rule("WG702", "loss-not-returned", "error")
def diagnose(index: Index) -> Iterator[Diagnosis]:
    """
    A function computes the loss and returns nothing.

    ## What it finds
    A program that stopped because its loss is None, though a loss was computed in a function of the user's in the same step; and a `training_step` that computes a loss from parameters while no backward
    is ever asked for in the whole run.

    ## Why it matters
    Without a `return` the function gives None. A plain loop stops at `backward`, at another line; Lightning takes None for "skip this batch", prints one warning, and trains nothing.

    ## When it is fine
    Steps that differentiate by themselves, as in manual optimisation; losses of validation.

    ## How sure
    Proved: the loss was recorded, and nothing was differentiated.

    ## References
    Lightning, `LightningModule.training_step`: "Return: Tensor, dict or None (skips the batch)".
    """
    found = [
        _of_none(failure, failure.step, op) for failure, _ in matching(index, NONE) if failure.step and (op := _last_loss(failure.step))
    ]
    if not found and not index.record.outcome.backwards_seen and index.record.outcome.exception is None:
        found = [_skipped(step, op, scope) for step in index.steps for op, scope in _in_a_step(step)]
    yield from distinct(found[:1])


def _last_loss(step: StepIndex) -> Op | None:
    """The last op of a loss that parameters have a part in, in a function that something else called."""
    losses = [
        op for op in step.graph.ops if family(op.kind) == "loss" and not op.failed and not step.depends_on_parameters.isdisjoint(op.outputs)
    ]
    return losses[-1] if losses else _last_number(step)


def _last_number(step: StepIndex) -> Op | None:
    """What a function writes out in place of calling a loss: the last op that makes one number of the model's output and the labels, and that nothing reads.
    Where nothing was differentiated, labels are not told from other data.
    """
    both = step.depends_on_parameters & (step.from_labels if step.step.labels.values else _compared(step))
    made = [op for op in step.graph.ops if op.kind in ("mean", "sum") and not op.failed and op.site is not None and op.site.function]
    ends = [op for op in made if step.value(op.output).shape == () and not step.consumers.get(op.output)]
    return next((op for op in reversed(ends) if not both.isdisjoint(op.outputs)), None)


def _compared(step: StepIndex) -> frozenset[str]:
    """What comes of an op that the model's output and other data of the batch meet in."""
    made = step.depends_on_parameters - {p.value for p in step.step.parameters}
    data = step.from_data - step.depends_on_parameters
    meets = (op for op in step.graph.ops if not made.isdisjoint(op.inputs) and not data.isdisjoint(op.inputs))
    return step.downstream(tuple(name for op in meets for name in op.outputs))


def _in_a_step(step: StepIndex) -> Iterator[tuple[Op, Scope]]:
    """Losses computed in a function that a framework calls for the loss."""
    for op in step.graph.ops:
        if family(op.kind) == "loss" and op.tracking and not step.depends_on_parameters.isdisjoint(op.outputs):
            yield from (
                (op, step.step.scopes[at])
                for at in enclosing(step.step.scopes, op)
                if step.step.scopes[at].function.rsplit(".", 1)[-1] in STEPS
            )


def _of_none(failure: Failure, step: StepIndex, op: Op) -> Diagnosis:
    value = step.value(op.output)
    inside = op.site.function if op.site else ""
    return Diagnosis(
        "WG702",
        "loss-not-returned",
        "error",
        "proved",
        f"`{inside or 'a function'}` computes a loss and does not return it",
        site=op.site or failure.site,
        label="computed here, and never handed on",
        related=places((failure.site, "None arrives here")),
        evidence=(
            Evidence(f"{typed(value)} was computed from the model's output", "losses", 1),
            Evidence(f"the program stopped with {failure.type}: {gist(failure.message)[:160]}"),
        ),
        help=f"end `{inside}` with `return {_variable(value)}`" if inside else "return the loss",
        explains=consequences(failure, step),
        kind=step.step.kind,
        step=step.step.index,
        names=(inside,),
        remedy=_handed_on(op.site),
    )


def _handed_on(site: Site | None) -> Remedy | None:
    """The function ends by returning what was made there."""
    return remedy("return the loss", Edit("return", site) if site else None)


def _variable(value: Value) -> str:
    return value.called if value.called.isidentifier() else "loss"


def _skipped(step: StepIndex, op: Op, scope: Scope) -> Diagnosis:
    value, site = step.value(op.output), op.site
    place: Site | None = site or scope.site
    return Diagnosis(
        "WG702",
        "loss-not-returned",
        "error",
        "proved",
        f"`{scope.function}` computes a loss, and no gradient is ever asked for: it returns none",
        site=place,
        label="computed here, and never handed on",
        related=places((scope.site, "the function that should return it")),
        evidence=(
            Evidence(f"{typed(value)} was computed from parameters", "losses", 1),
            Evidence("backwards in the whole run: 0", "backwards", 0),
        ),
        help=f"end `{scope.function}` with `return {_variable(value)}`; with manual optimisation call `self.manual_backward` and `step`",
        explains=frozenset({Fact("no-backward", str(step.step.kind))}),
        kind=step.step.kind,
        step=step.step.index,
        names=(scope.function,),
        remedy=_handed_on(site) if site and site.function.rsplit(".", 1)[-1] == scope.function else None,
    )
