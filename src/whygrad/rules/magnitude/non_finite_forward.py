"""WG502: an op makes NaN or infinity out of finite numbers."""

from collections.abc import Iterator

from whygrad.diagnosis import Diagnosis, Evidence, Fact, Remedy
from whygrad.flow import Index, StepIndex
from whygrad.flow.births import Origin, origin
from whygrad.idioms import idiom
from whygrad.ir import Course, Event, Op, Standardise
from whygrad.rules import rule
from whygrad.rules.labels.class_weights import class_weights, no_class_counts
from whygrad.rules.magnitude.exponentials import of_a_sum, without_infinity
from whygrad.rules.magnitude.phrases import beyond_table, called, comes_of, consequences, differentiated, entries, first, when
from whygrad.rules.magnitude.scales import scale_of
from whygrad.rules.magnitude.unscaled_inputs import LARGE, inputs, with_standardised
from whygrad.rules.phrases import places, typed
from whygrad.rules.remedies import guarded, without_largest
from whygrad.rules.remedies_of_settings import with_rows

HALF = 65504.0
"""The largest number of float16."""

_HELP = (
    (("log",), "keep its input above 0, for instance by {clamp 1e-8}; behind a softmax or sigmoid {log of activation}"),
    (("exp",), "subtract the largest entry first, or {log-sum-exp}"),
    (("div", "reciprocal"), "keep the denominator away from 0, for instance by adding 1e-8 where it is positive"),
    (("sqrt", "pow"), "keep its input at or above 0, for instance by {clamp 0}"),
    (("std", "var"), "{deviation of one}"),
    (("mean", "max", "min", "median"), "make sure that there is something to reduce: the mean of nothing is 0/0"),
    (
        ("softmax", "log_softmax", "attention"),
        "leave at least one entry of each row unmasked: a softmax over nothing but minus infinity is 0/0",
    ),
    (("embedding", "index"), "give it ids that its table has a row for: what is read beyond the last one is NaN"),
    (
        ("matmul", "linear", "conv", "square", "mul", "add", "sum"),
        "look at the size of its inputs: scale them down, lower the learning rate, or clip the gradient",
    ),
)
_IGNORING = ("cross_entropy", "nll_loss")


@rule("WG502", "non-finite-forward", "error", needs_values=True)
def diagnose(index: Index) -> Iterator[Diagnosis]:
    """
    An op makes NaN or infinity out of finite numbers, and the loss is NaN or infinite from then on.

    ## What it finds
    The first op whose inputs are all finite and whose output is not: the logarithm of 0, 0/0, `exp` of a large number, the standard
    deviation of one entry, a product beyond the range of half precision. Also where it happens at step 500 only.

    ## Why it matters
    The NaN goes through the backward into every gradient, and with the next update into every parameter. It never goes away.

    ## When it is fine
    Minus infinity in a mask before a softmax is meant and becomes 0 behind it. Only what makes the loss itself NaN or infinite counts.

    ## How sure
    Measured: the step is run again and every entry of every value is looked at. For a step that was not recorded, the calls of the last
    recorded one are run again on its data and its parameters. Where that can't be done, as its shapes are its own, the variable that held NaN by then is named, and the
    command for a second run is given.

    ## References
    `whygrad explain WG503` (the derivative is not finite, the value is), `WG501` (the input already was), `WG105` (no label counts).
    """
    found = origin(index)
    if found is not None and found.birth.stage == "forward" and found.op is not None:
        # timid: a mean over labels all of which are ignored is WG105's
        if not nothing_counts(found):
            yield diagnosis(index, found, found.op)
    elif found is not None and found.birth.stage == "forward":
        yield nameless(index, found)
    else:
        yield from (unexplained(index, course) for course in index.record.courses if began_before(found, course))


def began_before(found: Origin | None, course: Course) -> bool:
    """The loss was no number before the step that could be looked at, whose parameters it had spoilt by then."""
    if course.non_finite is None:
        return False
    if found is None:
        return True
    theirs = found.value is None or found.value.role == "parameter"
    # parameters that a later step was given so are the doing of the step before it, which could not be looked at
    return theirs and found.birth.stage == "given" and course.non_finite < found.birth.step + found.later


def nothing_counts(found: Origin) -> bool:
    """A loss over class ids of finite scores is not finite only where it averages over no label at all; weights of 0 apart, which lose some batches alone."""
    if found.op is None or found.op.kind not in _IGNORING:
        return False
    weights = class_weights(found.step, found.op)
    return weights is None or no_class_counts(found.step, found.op) is not None


def diagnosis(index: Index, found: Origin, op: Op) -> Diagnosis:
    """What is said, at the op."""
    name = called(op)
    inputs = [found.step.value(item) for item in op.inputs]
    what = " and ".join(f"`{value.shown}`" for value in inputs[:2] if value.called) or "finite inputs"
    lone = _lone(found, op)
    half = any(found.step.value(out).dtype == "f16" for out in op.outputs)
    ranges = tuple(
        Evidence(f"{typed(v)} is finite{_range(v.statistics.minimum, v.statistics.maximum)}")
        for v in inputs[:2]
        if v.statistics is not None and not found.later and v.called
    )
    return Diagnosis(
        rule="WG502",
        name="non-finite-forward",
        severity="error",
        confidence="measured",
        message=f"`{name}` makes NaN or infinity of {what}, {comes_of(index, found)}",
        site=op.site,
        label="finite numbers go in, NaN or infinity comes out",
        related=places(differentiated(index, found)),
        evidence=(
            *((Evidence("each deviation is taken of a single number: 0 divided by 0", "entries", 1),) if lone else entries(found, "makes")),
            *beyond_table(found, op),
            *ranges,
            *when(index, found),
        ),
        help=f"numbers above {HALF:g} do not fit in float16: use bfloat16, or compute this in float32"
        if half
        else first(index, _HELP, op.kind, "look at the inputs shown, and keep them in the range that the function is defined on"),
        facts=frozenset(Fact("non-finite", name) for name in op.outputs),
        explains=consequences(index, found),
        kind=found.step.step.kind,
        step=found.birth.step,
        names=(name,),
        remedy=None
        if half
        else without_largest(index, found.step, op)
        or of_a_sum(index, found.step, op)
        or without_infinity(found.step, op)
        or guarded(index, op, lone=lone, step=found.step)
        or _scaled(index, found.step, op)
        or _longer_table(index, found, op),
    )


def _longer_table(index: Index, found: Origin, op: Op) -> Remedy | None:
    """A table with a row for the largest id that it was given."""
    largest = next((evidence.value for evidence in beyond_table(found, op)), None)
    table = next(
        (p for p in found.step.step.parameters if p.value in {found.step.origin(name, ("cast", "layout")) for name in op.inputs}), None
    )
    if not isinstance(largest, int | float) or table is None:
        return None
    return with_rows(index, table.site, int(largest) + 1)


_GROWS = ("matmul", "linear", "conv", "square", "mul", "add", "sum", "sub", "pow", "exp", "mean_squared_error")
"""What large numbers make too large ones of."""


def _scaled(index: Index, step: StepIndex, op: Op) -> Remedy | None:
    """The inputs standardised, where they are large and their size is what an op makes too much of."""
    large = [value for value in inputs(step) if (scale_of(value) or 0.0) >= LARGE] if op.kind in _GROWS else []
    return with_standardised(index, step, large, Standardise(tuple(value.name for value in large))) if large else None


def _lone(found: Origin, op: Op) -> bool:
    """Each deviation is of one number."""
    if op.kind not in ("std", "var") or not op.inputs:
        return False
    read, made = (found.step.value(name).statistics for name in (op.inputs[0], op.output))
    return found.birth.size == 1 or (read is not None and made is not None and read.count == made.count)


def _range(low: float | None, high: float | None) -> str:
    return "" if low is None or high is None else f", from {low:.3g} to {high:.3g}"


def nameless(index: Index, found: Origin) -> Diagnosis:
    """The replay has seen it happen, in no op that the record shows."""
    backward = next((event for event in found.step.events("backward")), None)
    return Diagnosis(
        rule="WG502",
        name="non-finite-forward",
        severity="error",
        confidence="measured",
        message=f"the loss is NaN or infinite from step {found.birth.step} on, and all that the step was given is finite",
        site=backward.site if backward is not None else None,
        label="the loss differentiated here",
        evidence=(*entries(found, "makes"), *when(index, found)),
        help="print the values on the way to the loss, the last ones first, to see which is the first that is no number",
        facts=frozenset(Fact("non-finite", name) for name in found.step.losses),
        explains=consequences(index, found),
        kind=found.step.step.kind,
        step=found.birth.step,
        names=("loss",),
    )


def unexplained(index: Index, course: Course) -> Diagnosis:
    """The loss of a step that was not recorded, and could not be run again: the variable that held NaN by then, and the command that records that very step."""
    number = course.non_finite or 0
    program = " ".join((index.record.program, *index.record.arguments))
    held = next((event for step in index.steps for event in step.events("spoilt") if event.attributes.get("step") == number), None)
    name = f"`{held.attributes.get('name')}`" if held else ""
    at_once = f"finite in the {number} steps before, and not finite at step {number}, which was not recorded"
    return Diagnosis(
        rule="WG502",
        name="non-finite-forward",
        severity="error",
        confidence="measured",
        message=f"{name} holds NaN at step {number}, and the loss is not finite from there on" if held else f"the loss is NaN or infinite from step {number} on",
        site=held.site if held else course.site,
        label=f"{name} gets its value here, and at step {number} it is NaN" if held else "the loss differentiated here",
        related=places((course.site if held else None, "the loss differentiated here is not finite")),
        evidence=(
            Evidence(at_once, "step", number),
            *((Evidence(f"{name} {held.attributes.get('type')} held NaN then, and no parameter did"),) if held else ()),
        ),
        # the update of the step before may have made the parameters what they are
        help=(f"{idiom(index, 'deviation of one')}; or " if held and _of_one(held) else "")
        + f"record the step before and this one to see where it begins: `whygrad run --at-step {max(0, number - 1)} {program}`",
        facts=frozenset(Fact("non-finite", name) for step in index.steps[:1] for name in step.losses),
        explains=frozenset(Fact("insensitive", str(step.step.kind)) for step in index.steps),
        step=number,
        names=("loss",),
    )  # fmt: skip


def _of_one(held: Event) -> bool:
    """One entry, in whose line a deviation is taken."""
    text = held.site.text if held.site is not None else ""
    return held.attributes.get("entries") == 1 and any(call in text for call in (".std(", ".var(", "std_mean(", "var_mean("))
