"""WG212: a loss that is averaged twice, or summed where the step size can't take it."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import isclose, isfinite

from whygrad.diagnosis import Diagnosis, Edit, Evidence, Fact
from whygrad.flow import Index, StepIndex
from whygrad.idioms.spellings import spelling
from whygrad.ir import Op, Optimizer, family
from whygrad.loss_contracts import target_of
from whygrad.rules import rule
from whygrad.rules.phrases import distinct, figure, percent, places, plural
from whygrad.rules.remedies import names_of, remedy, setting

_SCALE_FREE = ("Adam", "Adagrad", "RMSprop", "Rprop", "Adadelta", "Adamax", "Adafactor", "Lion", "SignSGD", "LBFGS")
"""Optimizers whose step does not depend on the scale of the loss."""
FEWEST = 8
"""Examples in a batch below which a factor of 1/n may be anything."""
CLOSE = 1e-3
JUMP = 3.0
"""How many times larger a loss must be in a later recorded step to count as driven up."""
FAR_DOWN = 12
"""Ops between a sum and the loss: a loss has a handful of terms."""
FAR = 0.2
"""Share of the parameters' norm that one update must change: usual updates change a thousandth to a hundredth."""


@dataclass(frozen=True, slots=True)
class Scaled:
    """A mean that was divided again."""

    step: StepIndex
    mean: Op
    op: Op
    factor: float
    rows: int


@rule("WG212", "reduction-scale", "warning", needs_values=True)
def diagnose(index: Index) -> Iterator[Diagnosis]:
    """
    The loss is averaged twice, or summed over the batch, so that the step size is far too small or far too large.

    ## What it finds
    A loss that is a mean over the batch already and is divided by the batch size again, trained by an optimizer whose step depends on the
    scale of the loss; a loss summed over the batch whose first updates change the parameters by a large share of their size and drive the
    loss up.

    ## Why it matters
    A gradient that is too small by the batch size makes plain SGD stand still; one that is too large by it makes it diverge. The rate that
    works for one batch size fails for another.

    ## When it is fine
    Adam and its kin divide by the gradient's own size, so that the scale does not matter: nothing is said. Dividing by the number of
    accumulated batches is right, as is a sum with a rate to match.

    ## How sure
    Proved by the recorded figures for a second mean: the factor is exactly one over the number of examples, or that over a whole number of
    batches. Measured for a sum: the size of the update and the loss before and after.

    ## References
    `reduction=` of PyTorch's losses; `whygrad explain WG411`, `WG412`.
    """
    if all(scale_free(optimizer) for optimizer in index.record.optimizers):
        return
    single = [step for step in index.steps if is_only_backward(step)] if not accumulates(index) else []
    twice = [averaged_twice(found) for step in single for found in second_means(step)]
    yield from distinct((*twice, *(found for steps in index.kinds.values() for found in driven_up(index, steps))))


def scale_free(optimizer: Optimizer) -> bool:
    """The size of its steps does not depend on the scale of the loss."""
    return any(name in optimizer.native for name in _SCALE_FREE)


def is_only_backward(step: StepIndex) -> bool:
    """No accumulation over several batches."""
    return sum(1 for _ in step.events("backward")) == 1


def accumulates(index: Index) -> bool:
    """The run has several backwards for each update: gradients may be added up outside of what a step shows."""
    updates = sum(optimizer.steps for optimizer in index.record.optimizers)
    return index.record.outcome.backwards_seen >= 2 * updates > 0


def second_means(step: StepIndex) -> Iterator[Scaled]:
    """Divisions of a mean by the number of examples, on the way to the loss."""
    for op in step.graph.ops:
        mean = (
            step.producer.get(the_number(step, op.inputs[0])) if op.kind in ("div", "mul") and len(op.inputs) == 1 and op.outputs else None
        )
        if mean is None or op.output not in step.shapes_loss or not is_mean(step, mean[1]):
            continue
        rows = rows_of(step, mean[1])
        before, after = (step.value(name).statistics for name in (op.inputs[0], op.output))
        factor = after.mean / before.mean if before and after and before.mean and after.mean is not None else 0.0
        if rows >= FEWEST and 0 < factor <= 1 / rows * (1 + CLOSE) and whole(1 / factor / rows):
            yield Scaled(step, mean[1], op, factor, rows)


def the_number(step: StepIndex, name: str) -> str:
    """Back from sums, means and new shapes of a single number to where it comes from: they leave it as it is."""
    while name in step.producer and step.value(name).shape == ():
        op = step.producer[name][1]
        if op.kind not in ("sum", "mean", "cast", "reshape") or len(op.inputs) != 1 or step.value(op.inputs[0]).shape != ():
            break
        name = op.inputs[0]
    return name


def is_mean(step: StepIndex, op: Op) -> bool:
    """A mean over the whole batch: without an axis, or over all that there are."""
    if family(op.kind) == "loss":
        return op.attributes.get("reduction") == "mean"
    return op.kind == "mean" and ("axis" not in op.attributes or step.value(op.output).shape == ())


def rows_of(step: StepIndex, op: Op) -> int:
    """Examples that the mean is over."""
    shape = step.value(target_of(op) or op.inputs[0]).shape if op.inputs else None
    return shape[0] if shape else 0


def whole(number: float) -> bool:
    """A whole number, as far as single precision tells."""
    return number < 1e6 and isclose(number, round(number), rel_tol=CLOSE) and round(number) >= 1  # noqa: PLR2004 - beyond, every number looks whole


def averaged_twice(found: Scaled) -> Diagnosis:
    """What is said of a second mean."""
    step, loss = found.step, found.step.value(found.op.output)
    batches = round(1 / found.factor / found.rows)
    again = f"by the {found.rows} examples" + (f" and by {batches}" if batches > 1 else "")
    return Diagnosis(
        rule="WG212",
        name="reduction-scale",
        severity="warning",
        confidence="proved",
        message=f"`{loss.shown}` is a mean already, and is divided {again} again",
        site=found.op.site,
        label=f"makes the gradient {round(1 / found.factor):,} times smaller",
        related=places((found.mean.site, "the mean is taken here")),
        evidence=(
            Evidence(
                f"`{found.mean.kind}` averages over {plural(found.rows, 'example')}; this op multiplies by {figure(found.factor)} = 1/{round(1 / found.factor)}",
                "factor",
                found.factor,
            ),
        ),
        help="leave the division out",
        facts=frozenset({Fact("odd-input", found.op.output)}),
        explains=frozenset({Fact("stands", str(step.step.kind))}),
        kind=step.step.kind,
        step=step.step.index,
        names=(loss.shown,),
        remedy=remedy("leave the division out", Edit("unwrap", found.op.site) if found.op.site else None),
    )


def driven_up(index: Index, steps: tuple[StepIndex, ...]) -> Iterator[Diagnosis]:
    """Sums over the batch whose updates drive the loss up."""
    first = steps[0]
    before, later = first.step.measures.loss, [step.step.measures.loss for step in steps[1:]]
    op, total = next(((op, total) for op, total in sums(first) if rows_of(first, op) >= FEWEST), (None, None))
    share = moved(first)
    if op is None or total is None or before is None or not isfinite(before) or before <= 0 or share is None or share < FAR:
        return
    worst = next((loss for loss in later if loss is not None and not loss <= JUMP * before), None)
    if worst is not None:
        yield summed(index, first, op, total, before, worst, share)


def sums(step: StepIndex) -> Iterator[tuple[Op, Op]]:
    """Losses that are sums over the batch, with the op that adds up: their own, or a sum of single losses that is not divided again."""
    for op in step.loss_ops():
        if op.attributes.get("reduction") == "sum":
            yield op, op
        elif op.attributes.get("reduction") == "none":
            readers = step.consumers.get(op.output, ())
            total = next(
                (r for r in readers if r.kind == "sum" and step.value(r.output).shape == () and r.output in step.shapes_loss), None
            )
            if total is not None and share_of(step, total.output) * rows_of(step, op) >= FEWEST:
                yield op, total


def share_of(step: StepIndex, name: str) -> float:
    """The factor with which a value enters the loss: 1 for a term of a sum, less where it is divided; 0 where that is not known."""
    factor = 1.0
    for _ in range(FAR_DOWN):
        if name in step.losses:
            return factor
        readers = [reader for reader in step.consumers.get(name, ()) if reader.output in step.shapes_loss]
        if len(readers) != 1:
            return 0.0
        before, after = (figures.mean if (figures := step.value(one).statistics) else None for one in (name, readers[0].output))
        if readers[0].kind in ("mul", "div"):
            factor *= abs(after / before) if before and after is not None else 0.0
        elif readers[0].kind not in ("add", "sub"):
            return 0.0
        name = readers[0].output
    return 0.0


def moved(step: StepIndex) -> float | None:
    """Share of the parameters' norm that the update of this step changed."""
    pairs = [(p.norm, p.update_norm) for p in step.step.parameters if p.norm is not None and p.update_norm is not None]
    norm, update = sum(one**2 for one, _ in pairs), sum(other**2 for _, other in pairs)
    return float((update / norm) ** 0.5) if norm > 0 and isfinite(norm) and update == update else None  # noqa: PLR0124 - NaN alone differs from itself


def summed(index: Index, step: StepIndex, op: Op, total: Op, before: float, after: float, share: float) -> Diagnosis:
    """What is said of a sum."""
    rows, by_hand = rows_of(step, op), total is not op
    spoilt = frozenset(Fact("non-finite", name) for name in (*step.losses, *(p.name for p in step.step.parameters)))
    return Diagnosis(
        rule="WG212",
        name="reduction-scale",
        severity="warning",
        confidence="measured",
        message=f"`{step.value(total.output).shown if by_hand else op.kind}` sums over {plural(rows, 'example')}, and its first updates drive the loss up",
        site=total.site if by_hand else op.made or op.site,
        label=f"the gradient is {rows:,} times that of a mean",
        related=places((op.site if op.made and not by_hand else None, "the loss is called here")),
        evidence=(
            Evidence(
                f"one update changes the parameters by {percent(share)} of their norm; the loss goes from {figure(before)} to {figure(after)}",
                "loss",
                after,
            ),
        ),
        help="take the mean over the examples, or divide the learning rate by the batch size"
        if by_hand
        else 'use `reduction="mean"`, or divide the learning rate by the batch size',
        facts=frozenset({Fact("odd-input", op.output)}),
        explains=spoilt | {Fact(what, str(step.step.kind)) for what in ("diverges", "stands")},
        kind=step.step.kind,
        step=step.step.index,
        names=(step.value(op.output).shown,),
        remedy=remedy(
            "take the mean",
            _averaged(index, total) if by_hand else setting(op.made or op.site, "reduction", '"mean"', calls=names_of(op)),
            changes="a rate that was chosen for the sum is small for the mean",
        ),
    )


def _averaged(index: Index, total: Op) -> Edit | None:
    """The mean in the place of a sum over all entries."""
    return Edit("swap", total.site, spelling(index, "mean"), ("sum", "reduce_sum")) if total.site else None
