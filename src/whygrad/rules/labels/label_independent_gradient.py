"""WG102: the labels reach the loss, but the gradient is the same without them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from whygrad.diagnosis import Diagnosis, Edit, Evidence, Fact, Remedy
from whygrad.flow import Index, StepIndex
from whygrad.flow.courses import given_back
from whygrad.idioms import idiom, spelled
from whygrad.ir import Op, Statistics, family
from whygrad.loss_contracts import input_of, target_of
from whygrad.rules import rule
from whygrad.rules.labels.evidence import away, insensitive, measured, permuted
from whygrad.rules.phrases import figure, finite, listed, places
from whygrad.rules.remedies import remedy as change
from whygrad.rules.surrogates import hit_share, made_without_gradient, scored, smooth_step

_LINEAR = frozenset(("add", "sub", "neg", "mean", "sum", "reshape", "transpose", "expand", "copy", "cast", "index", "concat"))
_ADDED = frozenset(("add", "sub", "neg", "expand", "reshape", "copy", "cast"))
"""What gives every example the same share of what it adds."""
_STEPWISE = frozenset(
    (
        *("abs", "relu", "leaky_relu", "hardtanh", "clamp", "max", "min", "maximum", "minimum", "median", "where", "sort"),
        *("l1_loss", "huber_loss", "hinge_loss", "triplet_loss", "ranking_loss", "cosine_loss"),
    )
)
LONG = 100
"""Steps of a run from which on a term whose factor has not left 0 was not merely to come in later: a try of a program takes fewer."""
_TRUSTED = frozenset(("given", "framework", "target"))


@dataclass(frozen=True, slots=True)
class Join:
    """Where the labels' path and the parameters' path to the loss come together, and why no gradient tells of the labels."""

    op: Op
    cut: Op | None = None
    """On the labels' side: what was computed from parameters and lost its derivative here, before it met the labels."""
    zeroed: bool = False
    """Everything is multiplied by zero here."""
    linear: bool = False
    """All is linear from here to the loss, so that the labels cancel from the derivative."""
    stepwise: bool = False
    """The derivative from here on is constant in pieces: an absolute error, a hinge."""


@rule("WG102", "label-independent-gradient", "error", needs_values=True)
def diagnose(index: Index) -> Iterator[Diagnosis]:
    """
    Labels change the value of the loss, or only a part of it without a derivative, and never the gradient.

    ## What it finds
    Steps in which the labels are read on the way to the loss, a gradient is calculated, and the gradient does not change when the labels
    are permuted. The usual reasons: the only term with labels is an accuracy, an overlap of thresholded masks or an error rate, which have
    no derivative; the difference to the labels is averaged without a square or an absolute value, so that they cancel; the term with
    labels is multiplied by zero.

    ## Why it matters
    The loss that is printed depends on the labels, so everything looks right, while the parameters move as they would for any labels.

    ## When it is fine
    In a schedule that brings the labelled term in later, as a second task beside another one that is compared with data; a factor in a variable that a run of a hundred steps and more leaves at 0 is none. The rule asks for all recorded steps of a kind to agree, and for two of them where
    a factor of zero is the reason. Labels that are all the same can't be told apart by permuting them, and belong to WG103.

    ## How sure
    Measured: the recorded step is replayed with the labels permuted along the batch and all randomness held, S = ||g - g'|| / max(||g||, ||g'||)
    is zero or below the noise floor of two unchanged replays. The place is read from the graph. Where nothing could be measured, the rule
    speaks only if the graph proves that every op from the labels to the loss is linear where it carries gradient. If S is not a number,
    nothing is said. An absolute error or a hinge has the same derivative for many labels, and is left alone.

    ## References
    `whygrad explain WG101` (no path at all), `WG304` (what has no derivative), `WG203` (all pairs: their mean does not depend on the order).
    """
    for steps in index.kinds.values():
        felt = [step for step in steps if insensitive(step.step.measures) is not None]
        if felt and all(insensitive(step.step.measures) and judged(step) for step in felt):
            yield from told(index, felt)
        elif not felt and steps and all(unmeasured(step) and judged(step) for step in steps):
            yield from proved(index, list(steps))


def unmeasured(step: StepIndex) -> bool:
    """Nothing was measured, neither a figure nor NaN."""
    return step.step.measures.label_sensitivity is None


def judged(step: StepIndex) -> bool:
    """The step has a gradient, and its labels are read on the way to the loss."""
    norm = step.step.measures.gradient_norm
    flows = norm is not None and finite(norm) and norm > 0
    reads = step.labels_reach_loss
    return flows and reads and varied(step) and trusted(step) and not away(step)


def varied(step: StepIndex) -> bool:
    """Some label is not known to be the same everywhere, so that permuting it can show something."""
    read = [step.value(name).statistics for name in step.step.labels.values if not step.downstream((name,)).isdisjoint(step.shapes_loss)]
    return any(figures is None or figures.minimum is None or figures.minimum != figures.maximum for figures in read)


def trusted(step: StepIndex) -> bool:
    """The labels are known to be labels: no loss compares with some other part of the batch."""
    # timid: rows numbered by the program (`scores[arange, y]`) are no labels, and permuted along with the labels they undo that
    if any(name in step.producer and step.producer[name][1].kind == "create" for name in step.step.labels.values):
        return False
    # timid: where labels were guessed and a loss has another target, the guess may be a mask or a length
    other = step.from_data - step.depends_on_parameters - step.from_labels
    return step.step.labels.how in _TRUSTED or not any(target_of(op) in other for op in step.loss_ops())


def told(index: Index, steps: list[StepIndex]) -> Iterator[Diagnosis]:
    """One diagnosis for a kind of step."""
    step = steps[0]
    join = join_of(step)
    # timid: an absolute error or a hinge has the same derivative for many labels, until the first of them is passed
    if join is None or join.stepwise or (join.zeroed and is_second_task(step, join.op) and not stayed(index, join.op)):
        return
    # timid: the gradient of an offset is a sum over the examples, in whatever order their labels stand
    if not (join.cut or join.linear or join.zeroed) and all(only_offsets(each) or only_offsets_feel(each) for each in steps):
        return
    # timid: beside a prediction that is a thousand times larger the labels are lost in rounding, which is a matter of scale
    if not (join.cut or join.linear or join.zeroed) and all(any(outsized(each, op) for op in each.loss_ops()) for each in steps):
        return
    # timid: where the graph does not tell why, a single step may be the start of a warm-up, with a factor of zero
    if join.cut or join.linear or len(steps) > 1:
        yield diagnosis(index, step, join, len(steps))


OUTSIZED = {True: 2.0**10, False: 2.0**24}
"""Times the labels' size from which on they are lost beside a prediction: the spacing of float16 (of bfloat16 it is wider), where a value of the step is that short, else that of float32."""
_HALVES = ("f16", "bf16")


def outsized(step: StepIndex, op: Op) -> bool:
    """What the loss judges is far larger than what it compares that with."""
    given, target = (step.value(name or "").statistics if name else None for name in (input_of(op), target_of(op)))
    sizes = [max(abs(figures.minimum or 0.0), abs(figures.maximum or 0.0)) for figures in (given, target) if figures is not None]
    short = any(value.dtype in _HALVES for value in step.values.values())
    return len(sizes) == 2 and finite(sizes[0]) and sizes[0] > OUTSIZED[short] * sizes[1] > 0  # noqa: PLR2004 - of two values


def only_offsets(step: StepIndex) -> bool:
    """What is trained is only added to what the examples give, the same number to each: permuting the labels can't show in its gradient."""
    live, sizes = step.differentiable & step.gets_gradient, [step.value(name).shape or (1,) for name in step.step.labels.values]
    rows = max((shape[0] for shape in sizes), default=1)
    many = {name for name in live if (step.value(name).shape or (1,))[0] == rows}
    before = (op for op in step.graph.ops if not many.isdisjoint(op.outputs) and step.from_labels.isdisjoint(op.outputs))
    return rows > 1 and all(op.kind in _ADDED for op in before)


def only_offsets_feel(step: StepIndex) -> bool:
    """All that has a gradient is added to what the examples give, as the last bias is behind units that are dead: its gradient is a sum over the examples too."""
    moved = [p.value for p in step.step.parameters if p.gradient == "finite" and (p.gradient_norm or 0.0) > 0]
    return bool(moved) and all(_is_offset(op, name) for name in moved for op in step.consumers.get(name, ()))


def _is_offset(op: Op, name: str) -> bool:
    """It is added there: a layer's bias is its third input."""
    return op.kind in _ADDED or (op.kind in ("linear", "conv") and name not in op.inputs[:2])


def is_second_task(step: StepIndex, product: Op) -> bool:
    """Another term of the loss, which is not multiplied by zero, compares with data: then the factor is that of a task which a schedule brings in later."""
    behind, moving, data = step.upstream(product.output), step.depends_on_parameters, unfed(step)
    # timid: a factor that stands in a variable is kept there to be changed, as by a warm-up beside a reconstruction
    kept = any(step.value(name).role == "buffer" for name in product.inputs)
    for op in step.graph.ops:
        if op.failed or not op.outputs or op.output in behind or op.output not in step.shapes_loss or moving.isdisjoint(op.inputs):
            continue
        target = target_of(op)
        if target is not None and target not in moving:
            return True
        if op.kind in ("mul", "sub") and not data.isdisjoint(op.inputs):
            return True
        if op.kind == "sub" and kept and given_back(step, op):
            return True
    return False


def stayed(index: Index, product: Op) -> bool:
    """The factor is kept in a variable that still holds the zero when a run of some length ends: what was to bring the term in never did."""
    return index.record.outcome.steps_seen >= LONG and not set(index.record.standing).isdisjoint(product.inputs)


def unfed(step: StepIndex) -> frozenset[str]:
    """Data of the batch that are neither labels nor lead to an op with parameters: what a loss written by hand compares with."""
    parameters = {parameter.value for parameter in step.step.parameters}
    fed = (name for op in step.graph.ops if not parameters.isdisjoint(op.inputs) for name in op.inputs if name not in parameters)
    return step.from_data - step.depends_on_parameters - step.from_labels - frozenset[str]().union(*(step.upstream(name) for name in fed))


def proved(index: Index, steps: list[StepIndex]) -> Iterator[Diagnosis]:
    """One diagnosis where nothing could be measured, but the graph alone shows that the labels drop out of every derivative."""
    step = steps[0]
    join = join_of(step)
    if join is not None and drops_out(step):
        yield replace(diagnosis(index, step, join, len(steps)), confidence="proved")


def drops_out(step: StepIndex) -> bool:
    """Wherever something from the labels meets a path that carries gradient, up to the loss, all is linear."""
    live, seen = step.differentiable & step.gets_gradient, step.from_labels & step.shapes_loss
    meets = (op for op in step.graph.ops if not seen.isdisjoint(op.inputs) and not live.isdisjoint(op.outputs))
    return all(adds(op, seen) or scales(step, op, seen) for op in meets)


def adds(op: Op, seen: frozenset[str]) -> bool:
    """It is linear in what comes from the labels; what they select by their ids is not."""
    return op.kind in _LINEAR and not (op.kind == "index" and not seen.isdisjoint(op.inputs[1:]))


def join_of(step: StepIndex) -> Join | None:
    """The first op at which something from the labels meets a path that carries gradient, and what makes the labels vanish."""
    open_ = step.differentiable
    live, seen = open_ & step.gets_gradient, step.from_labels & step.shapes_loss
    for op in step.graph.ops:
        if zeroes(step, op) and not seen.isdisjoint(op.inputs) and not seen.isdisjoint(op.outputs):
            return Join(op, zeroed=True)
    first = next((op for op in step.graph.ops if not seen.isdisjoint(op.inputs) and not live.isdisjoint(op.outputs)), None)
    if first is None:
        return None
    cut = last_cut(step, open_, tuple(name for name in first.inputs if name in seen and name not in live))
    after = step.downstream(tuple(first.outputs)) & step.shapes_loss & live
    stepwise = cut is None and any(op.kind in _STEPWISE for op in step.graph.ops if not after.isdisjoint(op.outputs))
    return Join(first, cut=cut, linear=cut is None and is_linear(step, first, after), stepwise=stepwise)


def zeroes(step: StepIndex, op: Op) -> bool:
    """A product that is zero everywhere though what it multiplies is not."""
    if op.kind != "mul" or op.failed or not op.outputs:
        return False
    made = step.value(op.output).statistics
    return (
        made is not None
        and empty(made)
        and any(not empty(figures) for name in op.inputs if (figures := step.value(name).statistics) is not None)
    )


def empty(figures: Statistics) -> bool:
    """Every entry is zero."""
    return figures.count > 0 and (figures.zeros == 1.0 or figures.norm == 0.0) and figures.finite == 1.0


def last_cut(step: StepIndex, open_: frozenset[str], sides: tuple[str, ...]) -> Op | None:
    """Of the ops that these values come from, the last whose output has lost the gradient that an input, no bare parameter, would pass on."""
    above = frozenset[str]().union(*(step.upstream(name) for name in sides))
    inner = open_ - {parameter.value for parameter in step.step.parameters}
    lost = (op for op in reversed(step.graph.ops) if not inner.isdisjoint(op.inputs) and open_.isdisjoint(op.outputs))
    return next((op for op in lost if not above.isdisjoint(op.outputs)), None)


def is_linear(step: StepIndex, first: Op, after: frozenset[str]) -> bool:
    """Every living op from `first` to the loss is linear."""
    seen = step.from_labels
    later = (op for op in step.graph.ops if not after.isdisjoint(op.outputs))
    return adds(first, seen) and all(adds(op, seen) or scales(step, op, after) for op in later)


def scales(step: StepIndex, op: Op, after: frozenset[str]) -> bool:
    """A product or quotient with a number that is not on the labels' path."""
    first, *others = op.inputs
    return op.kind in ("mul", "div") and first in after and after.isdisjoint(others) and step.depends_on_parameters.isdisjoint(others)


def diagnosis(index: Index, step: StepIndex, join: Join, steps: int) -> Diagnosis:
    """What is said, at the cut where there is one, else at the join."""
    names = [step.value(name).shown for name in step.step.labels.values if name in step.shapes_loss or name in step.consumers]
    at = join.cut or join.op
    label, help_ = remedy(index, join, names)
    return Diagnosis(
        rule="WG102",
        name="label-independent-gradient",
        severity="error",
        confidence="measured",
        message=f"the labels {listed(names)} change the loss but not its gradient: {label}",
        site=at.site,
        label="no gradient passes back through this" if join.cut else "here the labels join the loss",
        related=places((join.op.site if join.cut else None, "the labels join the loss here")),
        evidence=(*measured(step), *shift(step), Evidence(f"so in {steps} of {steps} recorded steps of this kind")),
        help=help_,
        facts=frozenset({Fact("insensitive", str(step.step.kind))}),
        explains=frozenset(Fact("idle", name) for op in (join.cut, join.op) if op is not None for name in op.outputs),
        kind=step.step.kind,
        step=step.step.index,
        names=tuple(names),
        test=permuted(step),
        remedy=_remedy(index, step, join),
    )


def _remedy(index: Index, step: StepIndex, join: Join) -> Remedy | None:
    if join.zeroed:
        return _in_full(step, join.op)
    return _at_cut(index, step, join, join.cut) if join.cut else _squared(join) if join.linear else None


def _in_full(step: StepIndex, op: Op) -> Remedy | None:
    """The term without the factor that is zero; a factor with a shape of its own says which entries count."""
    at, term = next((at, name) for at, name in enumerate(op.inputs) if name in step.from_labels)
    if op.site is None or any(step.value(name).shape for name in op.inputs if name != term):
        return None
    # a number is no input of the op, so that the line alone tells on which side it stands
    named, own = step.value(term).called, op.site.text[op.site.column - 1 : (op.site.end_column or 1) - 1] if op.site.column else ""
    before, _, behind = (bool(named and re.search(rf"\b{re.escape(named)}\b", side)) for side in own.rpartition("*"))
    place = int(behind) if before != behind else at
    return change("leave the factor out", Edit("unwrap", op.site, position=place), changes="the term counts in full from the first step on")


def _at_cut(index: Index, step: StepIndex, join: Join, cut: Op) -> Remedy | None:
    """A loss on the scores for what only reads a pick from them, a smooth step for a threshold, and the value itself for a stopped one."""
    if cut.kind == "argmax":
        return scored(index, step, cut, made_without_gradient(step, join.op, step.differentiable)) or hit_share(index, step, cut)
    if cut.kind == "compare":
        return smooth_step(index, step, cut)
    return (
        change(f"leave out `{spelled(cut)}`", Edit("unwrap", cut.site, calls=(spelled(cut),)))
        if cut.kind == "detach" and cut.site
        else None
    )


def _squared(join: Join) -> Remedy | None:
    """The square of the difference that drops out of the derivative."""
    if join.op.kind != "sub" or join.op.site is None:
        return None
    return change("square the difference", Edit("wrap", join.op.site, "({x}) ** 2"), changes="the loss becomes a squared error")


def shift(step: StepIndex) -> Iterator[Evidence]:
    """What permuting did to the value of the loss."""
    before, after = step.step.measures.loss, step.step.measures.loss_permuted
    if before is not None and after is not None and finite(before) and finite(after):
        yield Evidence(f"labels permuted: the loss goes from {figure(before)} to {figure(after)}", "loss_permuted", after)


def remedy(index: Index, join: Join, names: list[str]) -> tuple[str, str]:
    """A few words on the marked place, and what to do about it."""
    label = names[0] if names else "the labels"
    if join.zeroed:
        return "the term with the labels is multiplied by zero", "check the factor: it is 0 in every recorded step"
    if join.cut is not None:
        made = f"`{join.cut.kind}` has no derivative"
        use = "a loss with a derivative" if family(join.cut.kind) != "detach" else idiom(index, "without stop")
        return (
            f"{made}, so nothing that meets `{label}` passes a gradient on",
            f"compare `{label}` with the scores themselves, before this op, by {use}",
        )
    if join.linear:
        return (
            f"all is linear from here to the loss, so `{label}` drops out of the derivative",
            "square the difference or take its absolute value before averaging",
        )
    return (
        f"`{label}` enters the loss here without a trace in its gradient",
        f"compare `{label}` with the prediction by a loss that both of them shape",
    )
