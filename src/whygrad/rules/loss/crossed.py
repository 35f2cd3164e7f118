"""Every prediction beside every label under `vmap`: the shapes of one example hide it, and the result of the op that brings them together shows it."""

from math import prod

from whygrad.diagnosis import Diagnosis, Evidence, Fact
from whygrad.flow import StepIndex
from whygrad.ir import Op, Value, family
from whygrad.rules.loss.shapes import broadcast
from whygrad.rules.phrases import figure, finite, places, typed

SILENT = 1e-4
"""Label sensitivity that is none: sums of single-precision numbers in another order differ by 1e-7 of the gradient's norm."""
_AVERAGING = frozenset(("square", "abs", "mean", "sum", "copy", "reshape", "transpose", "cast"))
"""What leads from a difference to the mean of all of them. A minimum, a kernel or a second term compares all pairs on purpose."""


def crossed(step: StepIndex, op: Op, prediction: Value, target: Value) -> bool:
    """The op made more entries than the shapes of its two sides ask for, one for each pair of rows, all of which are averaged, and the labels' order says nothing."""
    made, asked = step.value(op.output).shape if op.outputs else None, broadcast(prediction.shape, target.shape)
    felt = step.step.measures.label_sensitivity
    if made is None or asked is None or felt is None or not finite(felt) or felt > SILENT:
        return False
    rows = (target.shape or (0,))[0]
    paired = rows > 1 and rows in (prediction.shape or ()) and prod(made) >= rows * max(prod(prediction.shape or ()), prod(asked))
    return paired and averaged(step, op)


def averaged(step: StepIndex, op: Op) -> bool:
    """From here to the loss everything is squared, averaged and summed, and nothing else joins."""
    name = op.output
    while name not in step.losses:
        readers = step.consumers.get(name, [])
        reader = readers[0] if len(readers) == 1 else None
        if reader is None or not reader.outputs or not (reader.kind in _AVERAGING or family(reader.kind) == "loss"):
            return False
        name = reader.output
    return True


def diagnosis(step: StepIndex, op: Op, prediction: Value, target: Value) -> Diagnosis:
    """What is said, at the line where they meet."""
    made = step.value(op.output).shape or ()
    felt = step.step.measures.label_sensitivity or 0.0
    asked = next((event.site for event in step.events("backward") if event.site), None)
    return Diagnosis(
        rule="WG203",
        name="broadcast-loss",
        severity="error",
        confidence="measured",
        message=f"each row of {typed(prediction)} is compared with every row of {typed(target)} in the loss",
        site=op.site,
        label=f"one example of `{prediction.shown}` meets all of `{target.shown}`",
        related=places((asked, "the gradient of their mean is asked for here")),
        evidence=(
            Evidence(
                f"{typed(prediction)} and {typed(target)} make [{','.join(map(str, made))}] here: {prod(made):,} entries",
                "entries",
                prod(made),
            ),
            Evidence(
                f"labels permuted: the gradient differs by {figure(felt)} of its norm, so that it does not matter which label belongs to which example",
                "label_sensitivity",
                felt,
            ),
        ),
        help=f"map `{target.shown}` along with the examples: under `vmap`, `in_axes` gives it 0 and not None",
        facts=frozenset({Fact("odd-shape", prediction.name)}),
        explains=frozenset({Fact("insensitive", str(step.step.kind))}),
        kind=step.step.kind,
        step=step.step.index,
        names=(prediction.shown, target.shown),
    )
