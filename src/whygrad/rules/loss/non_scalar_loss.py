"""WG214: a gradient is asked of a loss that is no single number."""

import re
from collections.abc import Iterator
from math import prod

from whygrad.diagnosis import Diagnosis, Edit, Evidence, Fact, Remedy
from whygrad.flow import Index, StepIndex
from whygrad.flow.courses import course_of, fails, optimizer_of, supervised
from whygrad.flow.failures import Failure, consequences, matching
from whygrad.flow.growth import grown
from whygrad.idioms import idiom
from whygrad.idioms.spellings import spelling
from whygrad.ir import Event, Op, Site, Value, family
from whygrad.rules import rule
from whygrad.rules.loss.exceptions import message_of
from whygrad.rules.magnitude.scales import course_told
from whygrad.rules.phrases import distinct, places, plural, typed
from whygrad.rules.remedies import remedy, setting

_SEVERAL = re.compile(r"^Gradient only defined for scalar-output functions\. Output was (?P<values>\(.*)", re.DOTALL)
"""What JAX says where the function returns a tuple."""
_REFUSALS = ("scalar outputs", "scalar-output")
"""What PyTorch and JAX say of it."""


@rule("WG214", "non-scalar-loss", "error")
def diagnose(index: Index) -> Iterator[Diagnosis]:
    """
    A backward is asked of a loss with several entries, none of which is the one to minimise.

    ## What it finds
    A call of `backward()` that raised because the loss is a vector or a table: a loss function with `reduction="none"` whose result was never
    averaged, several losses stacked instead of added, per-example weights multiplied in after the mean was switched off. In JAX, a function that returns other
    values beside its loss, where `has_aux=True` does not say so. TensorFlow's tape raises nothing and takes the sum: there, a loss for
    each example is told of where the run diverges.

    ## Why it matters
    A derivative is of one number. The exception comes from the backward, while the line that left the loss unreduced is an earlier one.

    ## When it is fine
    A loss with several entries is differentiated on purpose by passing `gradient=`: that raises nothing, and nothing is said.

    ## How sure
    Proved by the shape of what was differentiated.

    ## References
    PyTorch: "grad can be implicitly created only for scalar outputs"; JAX: "Gradient only defined for scalar-output functions".
    """
    yield from distinct(diagnosis(index, step, event, loss) for step in index.steps for event, loss in refused(index, step))
    yield from distinct(returned(failure, match["values"]) for failure, match in matching(index, _SEVERAL))
    yield from distinct(summed(index, step, event, loss) for step in index.steps for event, loss in unreduced(index, step))


def refused(index: Index, step: StepIndex) -> Iterator[tuple[Event, Value]]:
    """Backwards that raised on a loss with several entries."""
    for event in step.events("backward"):
        for name in event.targets:
            shape = step.value(name).shape
            refused = any(said in message_of(index, step) for said in _REFUSALS)
            if event.attributes.get("failed") and shape and prod(shape) != 1 and refused:
                yield event, step.value(name)


def returned(failure: Failure, values: str) -> Diagnosis:
    """What is said of a loss that comes with other values, of which nobody told JAX."""
    plain = values.partition("\n")[0].rstrip(". ")[:80]
    told = setting(failure.site, "has_aux", "True", calls=("value_and_grad", "grad"))
    return Diagnosis(
        rule="WG214",
        name="non-scalar-loss",
        severity="error",
        confidence="proved",
        message="the function that is differentiated returns several values, and a gradient needs a single number to minimise",
        site=failure.site,
        label="takes all that the function returns for the loss",
        evidence=(Evidence(f"it returned `{plain}`"),),
        help="say `has_aux=True`: the first value is the loss then, and `value_and_grad` gives `((loss, rest), gradients)`",
        explains=consequences(failure, failure.step),
        kind=failure.step.step.kind if failure.step is not None else None,
        step=failure.step.step.index if failure.step is not None else None,
        names=("several values",),
        remedy=remedy("say that the loss comes with other values", told),
    )


def unreduced(index: Index, step: StepIndex) -> Iterator[tuple[Event, Value]]:
    """Backwards that took the sum of one loss per example for what is to be minimised, as a tape does, in a run that fails by updates as large as the sum makes them."""
    optimizer = optimizer_of(index, step)
    # timid: an optimizer that divides by the gradient's own size does not feel whether the loss is a sum or a mean
    if optimizer is None or optimizer.native != "SGD" or not supervised(index, step) or fails(index, step) != "diverges":
        return
    rows = {(step.value(name).shape or (0,))[0] for name in step.step.labels.values}
    for event in step.events("backward"):
        for name in event.targets:
            shape = step.value(name).shape
            if not event.attributes.get("failed") and shape and prod(shape) > 1 and shape[0] in rows:
                yield event, step.value(name)


def summed(index: Index, step: StepIndex, event: Event, loss: Value) -> Diagnosis:
    """What is said of a sum that nobody wrote."""
    made, kind, count = step.producer.get(loss.name), str(step.step.kind), prod(loss.shape or ())
    op, course = made[1] if made else None, course_of(index, step)
    return Diagnosis(
        rule="WG214",
        name="non-scalar-loss",
        severity="error",
        confidence="measured",
        message=f"`{loss.shown}` is {loss.type}, so the gradient is that of the sum of its {count:,} numbers, and the updates grow with the batch",
        site=_site(op, event),
        label=f"{count:,} numbers, not one",
        related=places((event.site if op and op.site else None, "the gradient is taken here")),
        evidence=(
            Evidence(f"{typed(loss)} is what was differentiated{_origin(op)}: {count:,} times the gradient of the mean", "entries", count),
            *course_told(course),
        ),
        help=_help(index, op, loss),
        facts=frozenset({Fact("odd-shape", loss.name)}),
        explains=frozenset(
            {Fact("diverges", kind), Fact("stands", kind), *(Fact("non-finite", name) for name in step.losses), *grown(index)}
        ),
        kind=step.step.kind,
        step=step.step.index,
        names=(loss.shown,),
        remedy=_remedy(index, op),
    )


def diagnosis(index: Index, step: StepIndex, event: Event, loss: Value) -> Diagnosis:
    """What is said, at the line that made the loss."""
    loss, op = _as_handed_over(step, event, loss)
    ended = index.record.outcome.exception
    count = plural(prod(loss.shape or ()), "number")
    return Diagnosis(
        rule="WG214",
        name="non-scalar-loss",
        severity="error",
        confidence="proved",
        message=f"`{loss.shown}` is {loss.type}, and a gradient needs a single number to minimise",
        site=_site(op, event),
        label=f"{count}, not one",
        related=places((event.site if op and op.site else None, "the backward is asked for here")),
        evidence=(Evidence(f"{typed(loss)} is what `backward` was called on" + _origin(op)),),
        help=_help(index, op, loss),
        facts=frozenset({Fact("odd-shape", loss.name)}),
        explains=frozenset({Fact("exception", ended.type if ended else "RuntimeError")}),
        kind=step.step.kind,
        step=step.step.index,
        names=(loss.shown,),
        remedy=_remedy(index, op),
    )


def _as_handed_over(step: StepIndex, event: Event, loss: Value) -> tuple[Value, Op | None]:
    """The loss as the user's own code made it, and its maker: a trainer divides it by the steps of accumulation before it asks for the gradient."""
    made = step.producer.get(loss.name)
    there = event.site if event.site is not None and event.site.library else None
    while made is not None and there is not None and made[1].site is not None and made[1].site.line_of_code == there.line_of_code:
        before = next((step.value(name) for name in made[1].inputs if step.value(name).shape == loss.shape), None)
        if before is None or before.name not in step.producer:
            break
        loss, made = before, step.producer[before.name]
    return loss, made[1] if made else None


def _site(op: Op | None, event: Event) -> Site | None:
    return op.site if op and op.site else event.site


def _origin(op: Op | None) -> str:
    if op is None:
        return ""
    reduction = op.attributes.get("reduction")
    return f"; `{op.kind}` made it{f' with reduction={reduction!r}' if reduction else ''}"


def _help(index: Index, op: Op | None, loss: Value) -> str:
    if op is not None and family(op.kind) == "loss" and op.attributes.get("reduction") == "none":
        return idiom(index, "unreduced", name=loss.written)
    return idiom(index, "add up", name=loss.written)


def _remedy(index: Index, op: Op | None) -> Remedy | None:
    """The mean over what the loss was computed for."""
    if op is None or op.site is None:
        return None
    return remedy(
        "minimise the mean", Edit("wrap", op.site, spelling(index, "mean")), changes="the parts count as a mean, where a sum may be meant"
    )
