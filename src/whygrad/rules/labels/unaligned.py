"""The part of WG105 about sequences without an alignment: each label has more letters than the model gives frames."""

from collections.abc import Iterator
from dataclasses import dataclass

from whygrad.diagnosis import Diagnosis, Evidence, Fact
from whygrad.flow import Index, StepIndex
from whygrad.ir import Op
from whygrad.loss_contracts import input_of, target_of
from whygrad.rules.phrases import figure, places

_OWN = "compute_ctc_loss"
"""TensorFlow's function with a gradient of its own: scores, labels, lengths of the labels, lengths of the scores."""
_TORCH = "torch.nn.functional.ctc_loss"
"""PyTorch's has the lengths of the scores first."""


@dataclass(frozen=True, slots=True)
class Unaligned:
    """A loss whose labels are all longer than what they are to be aligned with."""

    step: StepIndex
    op: Op
    scores: str
    letters: int
    """Of the shortest label."""
    frames: int
    """Of the longest row of scores, as the loss is told."""
    time: int = 0
    """What the scores have, where that is known to be more."""


def unaligned(index: Index) -> Iterator[Diagnosis]:
    """One for each kind of step in which no label of any recorded batch has an alignment."""
    for steps in index.kinds.values():
        lossy = [step for step in steps if step.losses]
        found = [next(_of_step(step), None) for step in lossy]
        if found and None not in found:
            first = next(one for one in found if one)
            yield _diagnosis(first, len(found))


def _of_step(step: StepIndex) -> Iterator[Unaligned]:
    for op in step.graph.ops:
        if op.failed or step.shapes_loss.isdisjoint(op.outputs):
            continue
        told = op.native == _TORCH or op.native.endswith(_OWN)
        lengths = _given(step, op) if told else _by_shape(step, op)
        if lengths is not None and lengths[0] > lengths[1]:
            time = (step.value(op.inputs[0]).shape or (0,))[0] if op.native == _TORCH else 0
            yield Unaligned(step, op, op.inputs[0], *lengths, time=time if time > lengths[1] else 0)


def _given(step: StepIndex, op: Op) -> tuple[int, int] | None:
    """The lengths that the loss was given: PyTorch's also takes plain numbers, of which the ends are known."""
    rest = list(op.inputs[2:])
    letters, frames = op.attributes.get("letters"), op.attributes.get("frames")
    order = ("frames", "letters") if op.native == _TORCH else ("letters", "frames")
    ends = {name: _end(step, name, rest) for name in order if name not in op.attributes}
    letters, frames = ends.get("letters", letters), ends.get("frames", frames)
    return (letters, frames) if isinstance(letters, int) and isinstance(frames, int) else None


def _end(step: StepIndex, name: str, rest: list[str]) -> int | None:
    """Of the next tensor of lengths: the shortest label's, or those of the longest row of scores."""
    figures = step.value(rest.pop(0)).statistics if rest else None
    end = None if figures is None else figures.maximum if name == "frames" else figures.minimum
    return None if end is None else int(end)


def _by_shape(step: StepIndex, op: Op) -> tuple[int, int] | None:
    """Of Keras' loss, which counts what is not 0: whole rows of letters against the axis of time."""
    scores, target = (input_of(op), target_of(op)) if op.kind == "ctc_loss" and op.native.startswith("keras.") else (None, None)
    if scores is None or target is None:
        return None
    shape, due, figures = step.value(scores).shape or (), step.value(target).shape or (), step.value(target).statistics
    # timid: a row that is filled up with zeros has fewer letters than its length
    if len(shape) != 3 or len(due) != 2 or figures is None or figures.zeros != 0.0:  # noqa: PLR2004 - rows, time, classes
        return None
    return due[1], shape[1]


def _diagnosis(found: Unaligned, steps: int) -> Diagnosis:
    step, op, loss = found.step, found.op, found.step.step.measures.loss
    made = step.producer.get(step.origin(found.scores, ("layout", "cast")))
    counted = step.producer.get(op.inputs[2]) if found.time and "frames" not in op.attributes else None
    where = (counted[1].site, "the loss is told so here") if counted is not None else (None, "")
    if not found.time and made is not None:
        where = made[1].made or made[1].site, f"gives the scores of {found.frames} frames"
    gives = f"the loss is told of {found.frames} of the model's {found.time}" if found.time else f"the model gives {found.frames}"
    return Diagnosis(
        rule="WG105",
        name="ignored-labels",
        severity="error",
        confidence="proved",
        message=f"no label can be aligned: the shortest has {found.letters} letters, and {gives} frames",
        site=op.site,
        label="each letter needs a frame of its own",
        related=places(where),
        evidence=(
            Evidence(
                f"at least {found.letters} letters against at most {found.frames} frames, in {steps} of {steps} recorded steps",
                "frames",
                found.frames,
            ),
            *((Evidence(f"the loss is {figure(loss)}: what stands for a probability of zero", "loss", loss),) if loss is not None else ()),
        ),
        help=f"count the frames of the scores themselves for `input_lengths`: up to {found.time} here, and no positions of the labels"
        if found.time
        else f"keep more frames along the axis of time: pool or stride less there, so that at least {found.letters} are left, and one more between equal letters",
        facts=frozenset({Fact("unread", name) for name in step.step.labels.values}),
        explains=frozenset(
            {Fact(what, str(step.step.kind)) for what in ("insensitive", "stands", "diverges")}
            | {Fact("non-finite", name) for name in step.losses}
        ),
        kind=step.step.kind,
        step=step.step.index,
    )
