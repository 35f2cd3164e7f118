"""The part of WG203 that tells of one label for each example, broadcast over an axis of steps that a recurrent layer has kept."""

from collections.abc import Iterator

from whygrad.diagnosis import Diagnosis, Evidence, Fact
from whygrad.flow import StepIndex
from whygrad.flow.makers import keeps_axis
from whygrad.ir import Op, Value, family
from whygrad.rules.loss.shapes import widened
from whygrad.rules.phrases import places, plural, typed
from whygrad.rules.remedies import remedy, setting


def at_every_step(step: StepIndex, op: Op, prediction: Value, target: Value) -> Op | None:
    """The recurrent layer, if a loss compares what comes of each of its steps with the one label of the example."""
    shape, due = prediction.shape or (), target.shape or ()
    alone = len(shape) == 2 and due == (shape[0], 1) and shape[1] > 1  # noqa: PLR2004 - rows and steps
    # timid: a label that was given its extra axis by hand was meant to be compared with every step
    if op.failed or family(op.kind) != "loss" or not alone or widened(step, target.name):
        return None
    found = keeps_axis(step, prediction.name)
    return found if found is not None and found.kind == "rnn" else None


def diagnosis(step: StepIndex, op: Op, prediction: Value, target: Value) -> Iterator[Diagnosis]:
    """What is said, at the layer."""
    last = at_every_step(step, op, prediction, target)
    if last is None:
        return
    steps = (prediction.shape or (0, 0))[1]
    made, keras = last.made or last.site, last.native.startswith("keras.")
    apart = any(reader.kind == "transpose" and reader.module for reader in step.consumers.get(last.output, ()))
    off = setting(made, "return_sequences", "False", calls=(last.native.rsplit(".", 1)[-1],)) if keras and not apart else None
    yield Diagnosis(
        "WG203",
        "broadcast-loss",
        "warning",
        "proved",
        f"the one label of each example is compared with what comes of all {plural(steps, 'step')} of `{last.module or last.kind}`",
        site=made or op.site,
        label=f"gives an output for each of {steps:,} steps",
        related=places((op.site, "the loss broadcasts the label over them here")),
        evidence=(Evidence(f"{typed(prediction)} against {typed(target)}: each label is used {steps:,} times", "entries", steps),),
        help="leave out `return_sequences=True` in the last recurrent layer, which then gives its last output alone"
        + (", and take the layers behind it out of `TimeDistributed`" if apart else "")
        if keras
        else "take the output of the last step, `output[:, -1]`, before the head; or, if every step is to foresee the label, write so: `labels.expand_as(scores)`",
        facts=frozenset({Fact("odd-shape", prediction.name)}),
        kind=step.step.kind,
        step=step.step.index,
        names=(prediction.shown, target.shown),
        remedy=remedy("give the last output alone", off, changes="the model gives one answer for each example") if off else None,
    )
