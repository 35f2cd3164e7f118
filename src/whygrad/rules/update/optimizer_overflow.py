"""WG408: the optimizer's state overflows."""

import re
from collections.abc import Iterator
from dataclasses import replace
from math import prod, sqrt

from whygrad.diagnosis import Diagnosis, Edit, Evidence, Fact, Remedy
from whygrad.flow import Index, StepIndex
from whygrad.ir import Op, Parameter, Site, Value
from whygrad.rules import rule
from whygrad.rules.magnitude.scales import scale_of
from whygrad.rules.phrases import distinct, figure, finite, listed, places
from whygrad.rules.remedies import remedy, setting

SQUARING = ("Adam", "AdamW", "NAdam", "RAdam", "Adamax", "RMSprop", "Adagrad", "Adadelta", "SparseAdam")
"""Optimizers that keep the square of the gradient."""
LIMITS = {"f32": 1.8e19, "bf16": 1.8e19, "f16": 255.0, "f64": 1e154}
"""The gradient whose square is the largest number of its dtype."""
NEAR = 1e-3
"""Share of that limit from which the root mean square is looked into: single entries are far larger than it."""
JUMP = 1e6
"""How many times larger than all of its inputs an op's output must be to be named as the place where the size comes from."""


@rule("WG408", "optimizer-overflow", "error", needs_values=True)
def diagnose(index: Index) -> Iterator[Diagnosis]:
    """
    Gradients are so large that their squares overflow in the optimizer, and the update becomes zero, then NaN.

    ## What it finds
    Adam and its relatives with gradients near or above 1.8e19 in float32, the root of its largest number, whose update left parameters as
    they were although rate and gradient are not zero, or made them NaN.

    ## Why it matters
    The second moment becomes infinite and stays so. A finite first moment divided by infinity is zero: the loss is finite, the gradients
    are finite, and nothing moves, for ever.

    ## When it is fine
    Never; but gradients that are large and move their parameters all the same are left alone.

    ## How sure
    Measured: gradient and update of each parameter in the recorded steps.

    ## References
    Kingma and Ba, "Adam"; `whygrad explain WG505` where raw inputs are what makes the gradients so large.
    """
    yield from distinct(one for step in index.steps for one in of_step(index, step))


def of_step(index: Index, step: StepIndex) -> Iterator[Diagnosis]:
    """Parameters of one step whose gradients are too large to be squared, and which did not move."""
    squaring = {o.name for o in index.record.optimizers if o.native in SQUARING}
    stuck = [p for p in step.step.parameters if p.optimizer in squaring and overflows(step, p)]
    if stuck:
        yield diagnosis(step, index, stuck)


def overflows(step: StepIndex, parameter: Parameter) -> bool:
    """The gradient is finite, its square need not be, and the update was nothing or no number."""
    norm, value = parameter.gradient_norm, step.value(parameter.value)
    limit = LIMITS.get(value.dtype)
    if parameter.gradient != "finite" or norm is None or not finite(norm) or limit is None or value.shape is None:
        return False
    large = norm / sqrt(max(1, prod(value.shape))) >= NEAR * limit
    return large and parameter.update_norm is not None and (parameter.update_norm == 0 or not finite(parameter.update_norm))


def jump(step: StepIndex) -> Op | None:
    """The first op on the way to the loss that makes something far larger than anything that it read."""
    for op in step.graph.ops:
        made = [top(step.value(name)) for name in op.outputs if name in step.shapes_loss]
        read = [top(step.value(name)) for name in op.inputs]
        known = [size for size in read if size is not None]
        if known and len(known) == len(read) and made and made[0] is not None and made[0] > JUMP * max(known):
            return op
    return None


def top(value: Value) -> float | None:
    """The largest entry of a value, by size; None where it is unknown."""
    figures = value.statistics
    if figures is None or figures.minimum is None or figures.maximum is None:
        return None
    return max(abs(figures.minimum), abs(figures.maximum))


def diagnosis(step: StepIndex, index: Index, stuck: list[Parameter]) -> Diagnosis:
    """What is said: where the size comes from, or else at the optimizer."""
    optimizer = next(o for o in index.record.optimizers if o.name == stuck[0].optimizer)
    source = jump(step)
    worst = max(stuck, key=lambda p: p.gradient_norm or 0.0)
    loss = next((scale_of(step.value(name)) for name in step.losses), None)
    kind = str(step.step.kind)
    ours = [p.name for p in step.step.parameters if p.optimizer == optimizer.name]
    held = (Fact(what, name) for name in ours for what in ("unmoved", "non-finite"))
    here = source.site if source is not None and source.site is not None else optimizer.site
    return Diagnosis(
        rule="WG408",
        name="optimizer-overflow",
        severity="error",
        confidence="measured",
        message=f"the square of the gradients overflows in `{optimizer.name}`, so that {listed(p.name for p in stuck)} {'does' if len(stuck) == 1 else 'do'} not move",
        site=here,
        label="numbers grow beyond all measure here" if source is not None else "this optimizer squares the gradients",
        related=places((optimizer.site if here is not optimizer.site else None, f"`{optimizer.name}` keeps the square of each gradient")),
        evidence=(
            Evidence(
                f"the gradient of `{worst.name}` has norm {figure(worst.gradient_norm)}; squares of more than 1.8e19 do not fit in float32",
                "gradient_norm",
                worst.gradient_norm,
            ),
            Evidence(
                f"the update of `{worst.name}` was {'exactly 0' if worst.update_norm == 0 else 'not finite'}",
                "update_norm",
                worst.update_norm,
            ),
            *((Evidence(f"the loss differentiated is {figure(loss)}", "loss", loss),) if loss is not None else ()),
        ),
        help="scale the loss, the inputs or the targets down to ordinary size; a loss scale for half precision needs a scaler that unscales before the update",
        facts=frozenset({Fact("overflow", kind), *(Fact("unmoved", p.name) for p in stuck)}),
        explains=frozenset(
            {Fact("stands", kind), *held, *(Fact("non-finite", name) for name in (*step.losses, *(p.value for p in stuck)))}
        ),
        kind=step.step.kind,
        step=step.step.index,
        names=(optimizer.name,),
        remedy=_unmultiplied(step, source, optimizer.site),
    )


_FACTOR = re.compile(r"\(?[\w.]+\s*\*(?!\*)")
"""A product that begins with a name or a number."""
_CHANGES = (
    "the loss and its gradients are as large as they are by themselves, so that clipping and weight decay weigh otherwise against them"
)


def _unmultiplied(step: StepIndex, op: Op | None, compiled: Site | None) -> Remedy | None:
    """The factor left out that makes what is differentiated so large: of a product, or what `compile` was given."""
    if compiled is not None and "loss_weights" in compiled.text:
        line = replace(compiled, column=0, end_column=0)
        return remedy("leave the weight of the loss out", setting(line, "loss_weights", calls=("compile",)), changes=_CHANGES)
    if op is None or op.kind != "mul" or op.site is None or op.output not in step.gets_gradient:
        return None
    product = op.site.text[op.site.column - 1 : (op.site.end_column or 1) - 1] if op.site.column else ""
    named = next((step.value(name).called for name in op.inputs if name in step.gets_gradient), "")
    first = product.lstrip("(").startswith(named) if named else _FACTOR.match(product) is None
    edit = Edit("unwrap", op.site, position=0 if first else 1) if "*" in product else None
    return remedy("leave the factor out", edit, changes=_CHANGES)
