"""The part of WG104 that tells of noise that is to be predicted and is not the noise that was added: it was drawn twice."""

from collections.abc import Iterator
from dataclasses import dataclass

from whygrad.diagnosis import Diagnosis, Evidence, Fact
from whygrad.flow import Index, StepIndex
from whygrad.ir import Op
from whygrad.loss_contracts import input_of, target_of
from whygrad.rules.labels.ways import chain
from whygrad.rules.phrases import places, typed


@dataclass(frozen=True, slots=True)
class Twice:
    """A loss whose target is drawn, and another draw of its shape that is added to what the prediction is made of."""

    step: StepIndex
    loss: Op
    target: Op
    added: Op


def drawn_twice(index: Index) -> Iterator[Diagnosis]:
    """One for each loss that has it in every recorded step of its kind."""
    yield from (_told(found) for found in index.lasting(_of_step, lambda twice: twice.loss.site))


def _of_step(step: StepIndex) -> Iterator[Twice]:
    for op, prediction, target in _compared(step):
        drawn = _drawn(step, target)
        if drawn is None or prediction not in step.depends_on_parameters:
            continue
        above = step.upstream(prediction)
        if drawn.output not in above:
            added = next(
                (one for one in step.graph.ops if one.output in above and _alike(step, one, drawn) and _is_added(step, one, above)), None
            )
            if added is not None:
                yield Twice(step, op, drawn, added)


def _compared(step: StepIndex) -> Iterator[tuple[Op, str, str]]:
    """Predictions and targets: of losses, and of differences that the program takes itself."""
    for op in step.of("sub"):
        if len(op.inputs) == 2 and not step.gets_gradient.isdisjoint(op.outputs):  # noqa: PLR2004 - two sides
            one, other = op.inputs
            yield (op, one, other) if one in step.depends_on_parameters else (op, other, one)
    for op in step.loss_ops():
        prediction, target = input_of(op), target_of(op)
        if prediction is not None and target is not None:
            yield op, prediction, target


def _drawn(step: StepIndex, name: str) -> Op | None:
    """The draw that a target is, but for its shape and dtype."""
    way = chain(step, name)
    made = step.producer.get(way[-1].inputs[0] if way else name)
    return made[1] if made is not None and made[1].kind == "random" and step.value(made[1].output).dtype.startswith(("f", "bf")) else None


def _alike(step: StepIndex, one: Op, other: Op) -> bool:
    shape = step.value(one.output).shape
    return one.kind == "random" and bool(shape) and shape == step.value(other.output).shape and one is not other


def _is_added(step: StepIndex, draw: Op, above: frozenset[str]) -> bool:
    """It meets data in a sum of its shape on the way to the prediction, before any parameter: noise upon something, not an input that is drawn."""
    below = step.downstream((draw.output,)) - step.depends_on_parameters
    sums = (op for op in step.graph.ops if op.kind in ("add", "sub") and op.output in above & below)
    return any(
        len(below & set(op.inputs)) == 1 < len(op.inputs) and step.value(op.output).shape == step.value(draw.output).shape for op in sums
    )


def _told(found: Twice) -> Diagnosis:
    step, target, added = found.step, found.step.value(found.target.output), found.step.value(found.added.output)
    return Diagnosis(
        rule="WG104",
        name="misaligned-labels",
        severity="error",
        confidence="proved",
        message=f"`{target.shown}`, which is to be predicted, is another draw than the noise that was added to the input",
        site=found.added.site,
        label="this draw goes into the input",
        related=places((found.target.site, "this other draw is the target"), (found.loss.site, "they are compared here")),
        evidence=(
            Evidence(
                f"nothing that the prediction is made of was computed from {typed(target)}: the best that it can learn is the mean of the noise"
            ),
        ),
        help="draw the noise once: add it to the input, and compare the prediction with the same tensor",
        facts=frozenset({Fact("odd-input", target.name)}),
        explains=frozenset({Fact("stands", str(step.step.kind))}),
        kind=step.step.kind,
        step=step.step.index,
        names=(target.shown, added.shown),
    )
