"""WG203: prediction and target have different shapes, and broadcasting compares every one with every other."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod

from whygrad.diagnosis import Diagnosis, Evidence, Fact, Remedy, Test
from whygrad.flow import Index, StepIndex
from whygrad.flow.index import LOSSES
from whygrad.flow.trials import trial_of
from whygrad.idioms import idiom
from whygrad.ir import Op, Reshape, Value, family
from whygrad.loss_contracts import contract_of, input_of, target_of
from whygrad.rules import rule
from whygrad.rules.loss import every_step, refused_shapes
from whygrad.rules.loss.crossed import crossed
from whygrad.rules.loss.crossed import diagnosis as under_vmap
from whygrad.rules.loss.exceptions import raised_by
from whygrad.rules.loss.shapes import broadcast, other_rows, pairs_up, widened
from whygrad.rules.phrases import distinct, figure, places, plural, typed
from whygrad.rules.remedies import remedy, reshaped

_ELEMENTWISE = frozenset(("sub", "add", "mul", "div", "pow", "maximum", "minimum", "where", "compare"))

_ENTRYWISE = frozenset(("neg", "mul", "add", "sub", "div", "minimum", "maximum", "clamp", "square", "abs", "cast", "mean", "sum"))


@dataclass(frozen=True, slots=True)
class Pair:
    """A prediction and a target that an op brings together."""

    op: Op
    prediction: Value
    target: Value
    shape: tuple[int, ...]
    """What they broadcast to."""

    @property
    def entries(self) -> int:
        """Number of comparisons."""
        return prod(self.shape)


@rule("WG203", "broadcast-loss", "error")
def diagnose(index: Index) -> Iterator[Diagnosis]:
    """
    Prediction and target differ in shape, and broadcasting pairs every prediction with every target.

    ## What it finds
    A loss, or the difference in a hand-written one, whose two sides broadcast to more entries than either has: predictions (N, 1) with
    targets (N,) make N x N pairs, (N, 1, H, W) with (N, H, W) make N x N images. So do log-probabilities (N,) with advantages or weights
    (N, 1). It also finds the losses that refuse such shapes with an exception, and a prediction and labels of as many rows
    that no broadcasting brings together, such as (N, 2) and (N,). The one label of
    each example, (N, 1), against an output for each step of a recurrent layer, (N, T). Under `vmap`, a target that is not mapped with its
    examples (`in_axes=(None, 0, None)`), so that each one is compared with the whole batch's.

    ## Why it matters
    Every prediction is pulled towards the mean of all targets of the batch. The loss falls to the targets' variance and stays there, and
    the order of the labels has no influence at all.

    ## When it is fine
    Comparing all pairs can be the aim, as in ranking, contrastive and distributional losses: both sides depend on parameters then, or both
    were given an extra axis on purpose, or the nearest of all pairs is taken. Biases, weights, masks and quantiles broadcast to the shape of one side, which is no fault.

    ## How sure
    Proved by the recorded shapes. Where the step could be replayed with one side reshaped, the gradients with and without are compared. Under `vmap`, measured: the op makes an entry for each pair, all of which
    are averaged, and permuting the labels does not change the gradient.

    ## References
    PyTorch broadcasting semantics; the warning "Using a target size that is different to the input size" of `torch.nn.functional.mse_loss`.
    """
    yield from distinct(diagnosis(index, step, found) for step in index.steps for found in by_cause(step))
    yield from distinct(refused_shapes.diagnosis(index, step, found) for step in index.steps for found in refused_shapes.refused(step))
    yield from distinct(said for step in index.steps for sides in step.once(all_sides) for said in every_step.diagnosis(step, *sides))
    yield from distinct(under_vmap(step, *found) for step in index.steps for found in step.once(all_sides) if crossed(step, *found))


def by_cause(step: StepIndex) -> Iterator[tuple[Pair, ...]]:
    """The odd pairs of a step, those together whose odd side is made of the same labels: one column that several terms of the loss read."""
    found: dict[object, list[Pair]] = {}
    for pair in pairs(step):
        if is_odd(step, pair):
            wide = len(pair.target.shape or ()) > len(pair.prediction.shape or ())
            labels = _first_labels(step, pair.target.name) if wide else None
            found.setdefault(labels or len(found), []).append(pair)
    return (tuple(group) for group in found.values())


def _first_labels(step: StepIndex, name: str) -> frozenset[str]:
    """The labels that a target was made of; those that are made of other labels are not counted: `1 - label` comes from `label`."""
    given = frozenset(step.step.labels.values)
    above = step.upstream(name) & given
    return frozenset(label for label in above if step.upstream(label) & given == {label})


def all_sides(step: StepIndex) -> tuple[tuple[Op, Value, Value], ...]:
    """What losses and arithmetic on the way to the loss bring together. Ask with `step.once`."""
    met = ((op, _sides(step, op)) for op in step.of(*LOSSES, *_ELEMENTWISE) if len(op.inputs) > 1)
    return tuple((op, *sides) for op, sides in met if sides)


def pairs(step: StepIndex) -> Iterator[Pair]:
    """What losses and arithmetic on the way to the loss bring together, where the shapes differ but fit by broadcasting."""
    for op, prediction, target in step.once(all_sides):
        shape = broadcast(prediction.shape, target.shape)
        if shape is not None and prediction.shape != target.shape:
            yield Pair(op, prediction, target, shape)


def _sides(step: StepIndex, op: Op) -> tuple[Value, Value] | None:
    """Prediction and target of a loss; the two operands of other arithmetic, the one that depends on parameters first."""
    if not op.failed and step.shapes_loss.isdisjoint(op.outputs):
        return None
    if family(op.kind) == "loss":
        prediction, target, contract = input_of(op), target_of(op), contract_of(op)
        return (step.value(prediction), step.value(target)) if contract and contract.elementwise and prediction and target else None
    if op.kind not in _ELEMENTWISE or op.failed:
        return None
    if (weighed := _weighed(step, op)) is not None:
        return weighed
    one, other = op.inputs[-2:]
    if (one in step.depends_on_parameters) == (other in step.depends_on_parameters):
        return None
    prediction, target = (one, other) if one in step.depends_on_parameters else (other, one)
    # timid: within a model, products of features by features are common; the labels tell that this is the loss
    return (step.value(prediction), step.value(target)) if target in step.from_labels else None


def _weighed(step: StepIndex, op: Op) -> tuple[Value, Value] | None:
    """What trains and what only weighs it, `log_prob * advantage.detach()`: a row and a column of as many examples, all of whose products are averaged."""
    one, other = op.inputs[-2:]
    if op.kind != "mul" or (one in step.differentiable) == (other in step.differentiable):
        return None
    trained, weight = (step.value(name) for name in ((one, other) if one in step.differentiable else (other, one)))
    shapes = trained.shape or (), weight.shape or ()
    same = len(shapes[0]) != len(shapes[1]) and _without_ones(shapes[0]) == _without_ones(shapes[1]) != ()
    # timid: rows and columns whose products are added up along one axis are a distance or a similarity
    return (trained, weight) if same and _given(step, weight.name) and _averaged_whole(step, op.output) else None


def _given(step: StepIndex, name: str) -> bool:
    """It was computed from what came from outside the step, not from constants and parameters alone."""
    return any(part not in step.parameter_of and part not in step.producer for part in step.upstream(name))


def _without_ones(shape: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(size for size in shape if size != 1)


def _averaged_whole(step: StepIndex, name: str) -> bool:
    """Entry by entry until one number is made of all of them, which the loss reads."""
    while name not in step.losses:
        readers = [op for op in step.consumers.get(name, ()) if not step.shapes_loss.isdisjoint(op.outputs)]
        if len(readers) != 1 or readers[0].kind not in _ENTRYWISE:
            return False
        name = readers[0].output
        if prod(step.value(name).shape or ()) == 1:
            return True
        if readers[0].kind in ("mean", "sum"):
            return False
    return False


def is_odd(step: StepIndex, pair: Pair) -> bool:
    """There are more comparisons than entries on either side, and nobody asked for them."""
    shapes = pair.prediction.shape, pair.target.shape
    if not pairs_up(*shapes) or other_rows(*shapes) or not per_example(step, pair.prediction.name):
        return False
    # timid: two extra axes, one on each side, are the usual way to ask for all pairs
    return not (widened(step, pair.prediction.name) and widened(step, pair.target.name))


def per_example(step: StepIndex, name: str) -> bool:
    """It was computed from something beside parameters, so that it can have a row for each example."""
    parameters = {parameter.value for parameter in step.step.parameters}
    above = step.upstream(name)
    return any(part not in parameters and (part not in step.producer or not step.producer[part][1].inputs) for part in above)


def diagnosis(index: Index, step: StepIndex, found: tuple[Pair, ...]) -> Diagnosis:
    """What is said, at the line of the first term of the loss that shows it."""
    pair = found[0]
    prediction, target = pair.prediction, pair.target
    outcome = "are refused by" if pair.op.failed else f"broadcast to {plural(pair.entries, 'pair')} in"
    made = step.producer.get(prediction.name) if len(prediction.shape or ()) > len(target.shape or ()) else step.producer.get(target.name)
    return Diagnosis(
        rule="WG203",
        name="broadcast-loss",
        severity="error",
        confidence="proved",
        message=f"{typed(prediction)} and {typed(target)} {outcome} the loss",
        site=pair.op.site,
        label=f"`{prediction.shown}` and `{target.shown}` differ in shape",
        related=places(
            *((other.op.site, f"and `{other.prediction.shown}` meets `{other.target.shown}` here") for other in found[1:]),
            (made[1].site if made and made[1].site != pair.op.site else None, "the odd shape is made here"),
        ),
        evidence=tuple(evidence(step, pair)),
        help=_help(index, step, pair),
        facts=frozenset(Fact("odd-shape", one.prediction.name) for one in found),
        explains=frozenset({Fact("insensitive", str(step.step.kind)), *raised_by(index, step, pair.op)}),
        kind=step.step.kind,
        step=step.step.index,
        names=(prediction.shown, target.shown),
        test=experiment(step, pair),
        remedy=_remedy(index, step, found),
    )


def evidence(step: StepIndex, pair: Pair) -> Iterator[Evidence]:
    """The shapes, and what became of the gradient when they were put right."""
    shape = ",".join(map(str, pair.shape))
    yield Evidence(
        f"{typed(pair.prediction)} against {typed(pair.target)} makes [{shape}]: {pair.entries:,} entries", "entries", pair.entries
    )
    asked = experiment(step, pair)
    trial = trial_of(step.step, asked.intervention) if asked else None
    if trial and trial.change is not None and trial.gradient_norm is not None:
        norm = figure(trial.gradient_norm)
        yield Evidence(
            f"replayed with one shape, the gradient differs by {figure(trial.change)} of its norm (norm {norm})", "change", trial.change
        )


def moved(step: StepIndex, pair: Pair) -> tuple[Value, Value]:
    """The side that is put right, and the one whose shape it takes: the prediction, unless what comes of both meets more that is shaped as it is."""
    sides = pair.prediction, pair.target
    return sides[::-1] if _meets(step, pair.op.output, pair.prediction.shape) else sides


def _meets(step: StepIndex, name: str, shape: tuple[int, ...] | None) -> bool:
    """Entry by entry, or cut off, it comes together with a value of this shape."""
    seen, left = {name}, [name] if shape is not None else []
    while left:
        name = left.pop()
        for op in step.consumers.get(name, ()):
            if op.kind not in (*_ENTRYWISE, "detach") or op.output in seen:
                continue
            if any(step.value(other).shape == shape for other in op.inputs if other != name):
                return True
            seen.add(op.output)
            left.append(op.output)
    return False


def experiment(step: StepIndex, pair: Pair) -> Test | None:
    """The side that can take the other's shape does; None where neither can."""
    one, other = moved(step, pair)
    if pair.op.failed or one.shape is None or other.shape is None or prod(one.shape) != prod(other.shape):
        return None
    return Test(Reshape(one.name, other.shape), "with one shape on both sides, another gradient comes out")


def _remedy(index: Index, step: StepIndex, found: tuple[Pair, ...]) -> Remedy | None:
    """One side of each in the other's shape, where both have as many entries."""
    asked = experiment(step, found[0])
    sides = [(pair.op, *moved(step, pair)) for pair in found]
    if any(None in (one.shape, other.shape) or prod(one.shape or ()) != prod(other.shape or ()) for _, one, other in sides):
        return None
    return remedy(
        f"give `{sides[0][1].written}` the shape of `{sides[0][2].written}` in the loss",
        *(reshaped(index, op, one, other, other.written) for op, one, other in sides),
        proof=asked.intervention if asked and len(found) == 1 else None,
    )


def _help(index: Index, step: StepIndex, pair: Pair) -> str:
    """Which side to reshape, and how to choose."""
    one, other = moved(step, pair)
    if one.shape is None or other.shape is None or prod(one.shape) != prod(other.shape):
        return f"give `{pair.prediction.shown}` and `{pair.target.shown}` one shape before they meet"
    return f"{idiom(index, 'one shape', one=one.written, other=other.written)}, or keep both as {one.type} by reshaping `{other.shown}` where it is made"
