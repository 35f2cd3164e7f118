"""WG503: finite values, a derivative that is not."""

from collections.abc import Iterator

from whygrad.diagnosis import Diagnosis, Evidence, Fact
from whygrad.flow import Index
from whygrad.flow.births import Origin, origin, scaled
from whygrad.ir import Op
from whygrad.rules import rule
from whygrad.rules.magnitude.phrases import beyond_table, called, consequences, entries, first, when
from whygrad.rules.phrases import finite, listed, places
from whygrad.rules.remedies import guarded

_HELP = (
    (("sqrt",), "add a small number inside, `sqrt(x + 1e-12)`: the slope of a square root at 0 is infinite"),
    (("norm",), "add a small number inside, {safe norm}: a norm has no slope at 0"),
    (("pow",), "keep its input above 0: a power below 1 has an infinite slope at 0, and a negative one more so"),
    (("log", "div", "reciprocal"), "keep its input away from 0, for instance by {clamp 1e-8}"),
    (("where",), "replace the bad inputs before the function and not its bad results behind it"),
    (("std", "var"), "add a small number to the variance before the root, or give it more than one entry"),
)
_BRANCH = "the branch that `where` does not take is differentiated as well, and 0 times infinity is NaN: replace its bad inputs first, `f(where(ok, x, 1))`"


@rule("WG503", "non-finite-gradient", "error", needs_values=True)
def diagnose(index: Index) -> Iterator[Diagnosis]:
    """
    The loss is finite, and its gradient is not: somewhere a derivative is infinite or NaN.

    ## What it finds
    The first op, seen from the loss, that gets a finite gradient and passes on one that is not: the square root of 0, the norm of a zero
    vector by hand, `where` around a function whose other branch is not defined, the standard deviation of equal entries.

    ## Why it matters
    The printed loss looks fine. With the next update the parameters are NaN, and the loss of the step after is the first that shows it.

    ## When it is fine
    A gradient scaler for half precision finds its factor by letting gradients overflow and skipping those steps: silent.

    ## How sure
    Measured: the step is run again, every gradient between its ops is looked at, and the derivative of the op alone is computed once more.

    ## References
    `whygrad explain WG502` for values that are not finite; PyTorch, "Autograd mechanics: gradients for non-differentiable functions".
    """
    found = origin(index)
    if found is not None and found.birth.stage == "backward" and found.op is not None and not scaled(index, found.step):
        yield diagnosis(index, found, found.op)
    elif found is None:
        yield from unseen(index)


def unseen(index: Index) -> Iterator[Diagnosis]:
    """Gradients that are not finite beside a finite loss, of a step that could not be run again."""
    for step in index.steps:
        bad = [p.name for p in step.step.parameters if p.gradient == "non-finite"]
        whole = finite(step.step.measures.loss) and not scaled(index, step)
        if bad and whole:
            backward = next((event for event in step.events("backward")), None)
            yield Diagnosis(
                rule="WG503",
                name="non-finite-gradient",
                severity="error",
                confidence="measured",
                message=f"the gradient of {listed(bad)} is NaN or infinite though the loss is finite",
                site=backward.site if backward else None,
                label="the gradient is calculated here",
                evidence=(
                    Evidence(
                        f"not finite after the backward: {len(bad)} of {len(step.step.parameters)} parameters", "parameters", len(bad)
                    ),
                ),
                help="look for a square root or norm of 0, a `where` with an undefined branch, or 0 times infinity between these parameters and the loss",
                facts=frozenset(Fact("non-finite", name) for name in bad),
                kind=step.step.kind,
                step=step.step.index,
                names=tuple(bad[:1]),
            )
            return


def diagnosis(index: Index, found: Origin, op: Op) -> Diagnosis:
    """What is said, at the op."""
    name = called(op)
    behind = [reader for out in op.outputs for reader in found.step.consumers.get(out, ()) if reader.kind == "where"]
    backward = next((event.site for event in found.step.events("backward") if event.site), None)
    branch = next((reader.site for reader in behind if reader.site), None)
    bad = [p.name for p in found.step.step.parameters if p.gradient == "non-finite"]
    starved = listed(bad) if bad and not found.later else "all parameters before it"
    if (reader := found.reader) is not None:
        return hidden(index, found, op, reader, starved)
    return Diagnosis(
        rule="WG503",
        name="non-finite-gradient",
        severity="error",
        confidence="measured",
        message=f"the derivative of `{name}` is NaN or infinite here, so that {starved} can't learn",
        site=op.site,
        label="a finite gradient comes in here, NaN or infinity goes on",
        related=places((branch, "this branch is not taken, and is differentiated all the same"), (backward, "the loss is finite here")),
        evidence=(*entries(found, "passes back"), *_loss(found), *when(index, found)),
        help=_BRANCH if behind else first(index, _HELP, op.kind, "keep its input away from where the function has no finite slope"),
        facts=frozenset(Fact("non-finite", name) for name in (*bad, *op.outputs)),
        explains=consequences(index, found),
        kind=found.step.step.kind,
        step=found.birth.step,
        names=(name,),
        remedy=guarded(index, op, untaken=bool(behind)),
    )


def hidden(index: Index, found: Origin, op: Op, reader: Op, starved: str) -> Diagnosis:
    """What is said at an op whose numbers never reach the loss, and spoil its gradient all the same."""
    name = called(op)
    bad = [p.name for p in found.step.step.parameters if p.gradient == "non-finite"]
    backward = next((event.site for event in found.step.events("backward") if event.site), None)
    return Diagnosis(
        rule="WG503",
        name="non-finite-gradient",
        severity="error",
        confidence="measured",
        message=f"`{name}` makes NaN or infinity here, which a mask keeps from the loss but not from its gradient, so that {starved} can't learn",
        site=op.site,
        label="finite numbers go in, NaN or infinity comes out",
        related=places(
            (reader.site, f"the derivative of `{called(reader)}` multiplies them by 0, which is NaN"), (backward, "the loss is finite here")
        ),
        evidence=(*entries(found, "makes"), *beyond_table(found, op), *_loss(found), *when(index, found)),
        help="put ids that the table has in their place before the look-up, and not numbers behind it"
        if any(beyond_table(found, op))
        else "replace the bad inputs before this function, `f(where(ok, x, 1))`, and not its bad results behind it",
        facts=frozenset(Fact("non-finite", name) for name in (*bad, *op.outputs)),
        explains=consequences(index, found),
        kind=found.step.step.kind,
        step=found.birth.step,
        names=(name,),
        remedy=guarded(index, op, untaken=True),
    )


def _loss(found: Origin) -> Iterator[Evidence]:
    loss = found.birth.loss
    if finite(loss):
        yield Evidence(f"the loss is finite ({loss:.3g})", "loss", loss)
