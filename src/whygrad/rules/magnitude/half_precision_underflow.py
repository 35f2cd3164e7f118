"""WG513: gradients lost below the smallest half-precision number."""

from collections.abc import Iterator

from whygrad.diagnosis import Diagnosis, Evidence, Fact
from whygrad.flow import Index, StepIndex
from whygrad.flow.births import scaled
from whygrad.idioms import idiom
from whygrad.ir import Op, Parameter
from whygrad.rules import rule
from whygrad.rules.phrases import listed, plural


@rule("WG513", "half-precision-underflow", "warning", needs_values=True)
def diagnose(index: Index) -> Iterator[Diagnosis]:
    """
    Gradients pass through float16 without a loss scale, and arrive as exact zeros.

    ## What it finds
    Parameters whose gradient is exactly zero in every recorded step although an open path leads to the loss, where that path runs through
    float16 and no gradient scaler multiplies the loss.

    ## Why it matters
    float16 has no number below 6e-8. Ordinary gradients are smaller than that near the input, and become 0.

    ## When it is fine
    With a gradient scaler, or in bfloat16, whose range is that of float32. Parameters behind dead units or zero factors get zeros in
    float32 as well: those before any op in float16 alone are spoken of.

    ## How sure
    Suspected: the zeros are measured, that float16 is the reason is likely, and running once in bfloat16 would settle it.

    ## References
    Micikevicius et al., "Mixed Precision Training"; PyTorch, `torch.amp.GradScaler`; Keras, `keras.mixed_precision.LossScaleOptimizer`; flax,
    `flax.training.dynamic_scale`.
    """
    for steps in index.kinds.values():
        if any(scaled(index, step) for step in steps):
            continue
        found = [{p.name: p for p in lost(step)} for step in steps]
        names = [name for name in found[0] if all(name in other for other in found)] if found else []
        if names:
            yield diagnosis(index, steps[-1], [found[-1][name] for name in names])


def lost(step: StepIndex) -> Iterator[Parameter]:
    """Parameters with a gradient of exact zeros on an open path through float16."""
    half = through_half(step)
    for parameter in step.step.parameters:
        if parameter.trainable and parameter.gradient == "zero" and parameter.value in step.gets_gradient and parameter.value in half:
            yield parameter


def through_half(step: StepIndex) -> frozenset[str]:
    """Values whose way to the loss runs through float16."""
    found = {name for name, value in step.values.items() if value.dtype == "f16" and name in step.gets_gradient}
    for op in reversed(step.graph.ops) if found else ():
        if not found.isdisjoint(op.outputs):
            found.update(op.inputs)
    return frozenset(found)


def diagnosis(index: Index, step: StepIndex, found: list[Parameter]) -> Diagnosis:
    """What is said, at the first op in float16."""
    first: Op | None = next((op for op in step.graph.ops if any(step.value(name).dtype == "f16" for name in op.outputs)), None)
    names = [parameter.name for parameter in found]
    return Diagnosis(
        rule="WG513",
        name="half-precision-underflow",
        severity="warning",
        confidence="suspected",
        message=f"the gradient of {listed(names)} is exactly zero: it passes through float16 and no loss scale keeps it above 6e-8",
        site=first.site if first else None,
        label="from here on in float16",
        evidence=(
            Evidence(
                f"{plural(len(names), 'parameter')} with an open path to the loss and a gradient of exact zeros", "parameters", len(names)
            ),
        ),
        help=idiom(index, "loss scale"),
        facts=frozenset(Fact("underflow", name) for name in names),
        explains=frozenset(Fact(what, name) for what in ("unmoved", "no-gradient") for name in names),
        kind=step.step.kind,
        step=step.step.index,
        names=tuple(names[:1]),
    )
