"""The part of WG215 that tells of a loss which is given the labels for the prediction and the prediction for the labels."""

from collections.abc import Iterator
from dataclasses import dataclass

from whygrad.diagnosis import Diagnosis, Edit, Evidence, Fact
from whygrad.flow import StepIndex
from whygrad.ir import Op, Value
from whygrad.loss_contracts import input_of, target_of
from whygrad.rules.phrases import places
from whygrad.rules.remedies import is_written_out, remedy

_LOPSIDED = frozenset(("cross_entropy", "bce_with_logits", "binary_cross_entropy", "categorical_cross_entropy"))
"""Losses that are another function with their arguments the other way round."""


@dataclass(frozen=True, slots=True)
class Exchanged:
    """Such a call, with what it was given for the prediction and for the labels."""

    op: Op
    judged: Value
    target: Value


def exchanged(step: StepIndex) -> Iterator[Exchanged]:
    """Losses whose labels depend on the parameters, and whose prediction consists of zeros and ones that do not."""
    for op in step.of(*_LOPSIDED):
        given, target = input_of(op), target_of(op)
        if op.failed or given is None or target is None:
            continue
        shaped = target in step.depends_on_parameters and given not in step.depends_on_parameters
        if shaped and target in step.shapes_loss and _zeros_and_ones(step.value(given)):
            yield Exchanged(op, step.value(given), step.value(target))


def _zeros_and_ones(value: Value) -> bool:
    """Such are labels; the logits of a teacher are not."""
    figures = value.statistics
    return figures is not None and figures.whole == 1.0 and figures.minimum == 0.0 and figures.maximum == 1.0


def about_exchanged(step: StepIndex, found: Exchanged) -> Diagnosis:
    """What is said, at the call of the loss."""
    judged, target, loss = found.judged.shown, found.target.shown, step.value(step.losses[0]).shown
    function = found.op.native.rpartition(".")[2] or found.op.kind
    return Diagnosis(
        rule="WG215",
        name="loss-sign",
        severity="error",
        confidence="proved",
        message=f"`{function}` is given its arguments the wrong way round: `{judged}` for the prediction, and `{target}` for the labels",
        site=found.op.site,
        label=f"compares `{judged}`, as if it were the prediction, with `{target}`",
        related=places((step.producer[found.target.name][1].site if found.target.name in step.producer else None, "the prediction is made here")),
        evidence=(
            Evidence(f"`{judged}` consists of zeros and ones, and depends on no parameter; `{target}` depends on the parameters"),
            Evidence(
                f"so the prediction is multiplied as it is, and nothing bounds `{loss}` from below"
                if found.op.kind in ("cross_entropy", "bce_with_logits")
                else "so the logarithm is taken of the labels"
            ),
        ),
        help="give the prediction where the loss expects it, and the labels where it expects those",
        facts=frozenset({Fact("odd-input", step.losses[0]), Fact("diverges", str(step.step.kind))}),
        kind=step.step.kind,
        step=step.step.index,
        names=(judged, target),
        remedy=None if found.op.site is None or is_written_out(found.op) else remedy("let the two change places", Edit("exchange", found.op.site)),
    )  # fmt: skip
