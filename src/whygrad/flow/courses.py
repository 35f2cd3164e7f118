"""How the loss went over the run: whether it fell, stood still or ran away."""

from collections.abc import Iterable, Iterator
from math import isfinite, log, prod
from statistics import fmean
from typing import Literal

from whygrad.flow.guesses import constant_guess, spread_guess, spread_seen, written_guess
from whygrad.flow.index import Index, StepIndex
from whygrad.flow.penalties import data_term
from whygrad.ir import Course, Op, Optimizer, Parameter
from whygrad.loss_contracts import target_of

ENOUGH = 20
"""Losses that must have been seen before a run is said to fail: short runs are tries."""
STANDS = 0.05
"""Share of its first value by which the loss must fall to have moved; runs of the corpus that learn fall by 20 % and more."""
WINDOW = 8
"""Losses that `first` and `last` are means of."""
RUNS_AWAY = 10.0
"""How many times its first value a loss must reach to have run away: noise and warm-up stay far below."""

EARLY = 0.25
"""Share of the updates within which a rate must have fallen away to have done so too soon: what ends low spends the last tenth of the run so, or the last quarter."""
UPDATES = 40
"""Updates of a run whose rate is judged so: shorter ones are tries."""

BY_CLASS = ("cross_entropy", "categorical_cross_entropy", "nll_loss")
CLASSES = ("cross_entropy", "categorical_cross_entropy", "bce_with_logits", "binary_cross_entropy")

Failure = Literal["diverges", "stands"]


def fell_early(low_from: int | None, steps: int) -> bool:
    """A rate that was next to nothing from update `low_from` on had fallen away within the first part of a run of `steps` updates."""
    return low_from is not None and steps >= UPDATES and low_from <= EARLY * steps


def course_of(index: Index, step: StepIndex) -> Course | None:
    """The course of the loss that this step's first backward differentiates."""
    site = next((event.site for event in step.events("backward") if event.site), None)
    if site is None:
        return index.record.courses[0] if len(index.record.courses) == 1 else None
    return next((c for c in index.record.courses if c.site and (c.site.file, c.site.line) == (site.file, site.line)), None)


def failure(course: Course | None) -> Failure | None:
    """How the run fails; None where it learns, or where too little was seen."""
    if course is None or course.start is None or course.first is None or course.start <= 0:
        return None
    if diverged(course):
        return "diverges"
    if course.steps < ENOUGH or course.last is None or course.non_finite is not None:
        return None
    noise = 2 * (course.noise or 0.0) / WINDOW**0.5
    return "stands" if course.first - course.last < max(STANDS * course.first, noise) else None


def fails(index: Index, step: StepIndex) -> Failure | None:
    """How the run of this step's loss fails: as `failure` says, or at chance in the end, however badly it began."""
    course = course_of(index, step)
    found = failure(course)
    return found or ("stands" if course is not None and at_chance(index, step, course) else None)


def at_chance(index: Index, step: StepIndex, course: Course) -> bool:
    """The last losses are no better than those of a guess that is the same for every example."""
    if course.steps < ENOUGH or course.last is None or course.non_finite is not None:
        return False
    return any(course.last >= (1 - STANDS) * guess for guess in (*even_guesses(step), *constant_guesses(index, step)))


def ends_at_chance(index: Index, step: StepIndex) -> bool:
    """After many steps the whole loss costs as much as an even guess among the classes, or the mean of the targets, or more."""
    course = course_of(index, step)
    guesses = [*even_guesses(step, part=True), *means_of_targets(index)] if course is not None and course.steps >= ENOUGH else []
    last = course.last if course is not None and course.non_finite is None else None
    return bool(guesses) and last is not None and last >= (1 - STANDS) * max(guesses)


def means_of_targets(index: Index) -> Iterator[float]:
    """What their mean costs by a squared error, by the figures of each recorded batch: the variance."""
    for step in index.steps:
        written = written_guess(step, at_most=False)
        yield from (written,) if written is not None else ()
        for op in step.loss_ops():
            target = target_of(op) if op.kind == "mse_loss" else None
            figures = step.value(target).statistics if target is not None and target in step.from_labels else None
            if figures is not None and figures.std is not None and isfinite(figures.std):
                yield figures.std**2


def ends_flat(index: Index, step: StepIndex, course: Course) -> bool:
    """The last losses are no better than those of a guess that is the same for every example, by the batch whose targets differ least, and fall no more."""
    spreads = [spread_seen(index.kinds[step.step.kind], op) for op in step.loss_ops() if is_whole(step, op)]
    flat = any(one is not None and course.last is not None and course.last >= (1 - STANDS) * one for one in spreads)
    settled = course.steps >= ENOUGH and course.non_finite is None and not still_falls(course)
    return settled and (flat or at_chance(index, step, course))


def still_falls(course: Course) -> bool:
    """The last quarter of the run lies below the one before: it may come to something yet."""
    curve, quarter = course.curve, len(course.curve) // 4
    return quarter > 0 and fmean(curve[-quarter:]) < (1 - STANDS) * fmean(curve[-2 * quarter : -quarter])


def constant_guesses(index: Index, step: StepIndex) -> Iterator[float]:
    """What the best constant guess costs by a loss over two classes, or on numbers, that is the whole loss, also where it is written out, as the data that were seen have it."""
    for op in step.loss_ops():
        if not is_whole(step, op) or target_of(op) not in step.from_labels:
            continue
        guess, spread = constant_guess(index.kinds[step.step.kind], op), spread_guess(index.kinds[step.step.kind], op)
        yield from (guess.at_most,) if guess is not None else ()
        yield from (spread,) if spread is not None else ()
    written = written_guess(step)
    yield from (written,) if written is not None else ()


def even_guesses(step: StepIndex, *, part: bool = False) -> Iterator[float]:
    """What an even guess costs by a cross-entropy that is the whole loss, or a part of it."""
    for op in step.loss_ops():
        known = op.kind in CLASSES or (op.kind == "nll_loss" and of_logarithms(step, op))
        if not known or not (part or is_whole(step, op)) or target_of(op) not in step.from_labels:
            continue
        shape, axis = step.value(op.inputs[0]).shape or (), op.attributes.get("axis")
        if op.kind in BY_CLASS and len(shape) > 1:
            yield log(max(2, shape[axis if isinstance(axis, int) and -len(shape) <= axis < len(shape) else 1]))
        elif op.kind not in BY_CLASS:
            yield log(2)


def of_logarithms(step: StepIndex, op: Op) -> bool:
    """What the loss is given are logarithms of probabilities."""
    made = step.producer.get(step.origin(op.inputs[0]))
    return made is not None and made[1].kind == "log_softmax"


def is_whole(step: StepIndex, op: Op) -> bool:
    """This op's result is all of the loss: itself, or its mean over the examples where that is an op of its own. Penalties on the parameters that are too small to count may be added."""
    results = [name for loss in step.losses if (name := data_term(step, loss)) is not None]
    means = (step.producer[name][1] for name in results if name in step.producer)
    return op.output in results or any(mean.kind == "mean" and mean.inputs[:1] == (op.output,) for mean in means)


def diverged(course: Course) -> bool:
    """The loss grew far beyond where it began and ended no better than that, or became no number within a few steps."""
    if course.start is None or course.start <= 0:
        return False
    if course.non_finite is not None and 0 < course.non_finite <= WINDOW:
        return True
    top = max(number for number in (course.highest, course.last, course.first, course.start) if number is not None)
    ended_badly = course.non_finite is not None or course.last is None or course.last >= course.start
    return course.steps >= WINDOW // 2 and top >= RUNS_AWAY * course.start and ended_badly


def fresh(index: Index, step: StepIndex) -> bool:
    """The run has just begun, so that how its loss goes is not known yet: the time to ask for an experiment."""
    course = course_of(index, step)
    return course is None or course.steps <= step.step.index + 1


def supervised(index: Index, step: StepIndex) -> bool:
    """One loss that is fitted to data, so that it must fall; adversaries and agents have losses that need not."""
    if not one_training(index) or (step.step.measures.label_sensitivity == 0 and not far_off(step)):
        return False
    targets = [name for op in step.loss_ops() if (name := target_of(op)) is not None]
    # timid: a target computed by a model moves along with it (bootstrapped values, teachers), and its loss may rise for long
    if any(name in step.depends_on_parameters for name in targets):
        return False
    return bool(targets) or bool(step.step.labels.values)


def fitted(index: Index, step: StepIndex) -> bool:
    """The same without labels: also one loss that is written out and compares what the model gives back with its own input, as an autoencoder's."""
    return supervised(index, step) or (
        one_training(index)
        and step.step.measures.label_sensitivity is None
        and any(op.kind == "sub" and not step.shapes_loss.isdisjoint(op.outputs) and given_back(step, op) for op in step.graph.ops)
    )


def given_back(step: StepIndex, difference: Op) -> bool:
    """The difference to the model's own input that no parameter is behind, as that of an autoencoder; a model that leaves its input out of a layer goes on."""
    given, moving = step.from_data - step.depends_on_parameters - step.from_labels, step.depends_on_parameters
    parameters, below = {parameter.value for parameter in step.step.parameters}, step.downstream(difference.outputs)
    later = (op for op in step.graph.ops if not below.isdisjoint(op.inputs) and not step.shapes_loss.isdisjoint(op.outputs))
    met = not given.isdisjoint(difference.inputs) and not moving.isdisjoint(difference.inputs)
    return met and all(parameters.isdisjoint(op.inputs) for op in later)


FAR_OFF = frozenset(("l1_loss", "huber_loss"))
"""Losses whose derivative is the same for all labels on one side of the prediction: while it is far from them, permuted ones change nothing."""


def far_off(step: StepIndex) -> bool:
    """The labels are compared with by such a loss."""
    return any(op.kind in FAR_OFF and target_of(op) in step.from_labels for op in step.loss_ops())


def one_training(index: Index) -> bool:
    """All steps ask for the gradient of one loss at one place, by one model, and update the same: a kind of its own, as after units died, is no other training."""
    return one_loss(index) and (len(index.kinds) == 1 or len({_updated(one) for one in index.steps}) == 1)


def one_loss(index: Index) -> bool:
    """The same, whatever is updated: a step that ends in infinities may not come to an update."""
    if any(several(one) for one in index.steps):
        return False
    if len(index.kinds) == 1:
        return True
    places = {(event.site.file, event.site.line) if event.site else None for one in index.steps for event in one.events("backward")}
    models = {frozenset(p.name for p in one.step.parameters if p.reached) for one in index.steps}
    return len(places) == len(models) == 1 and None not in places


def _updated(step: StepIndex) -> frozenset[str]:
    """The parameters that a step's updates move, whether by an optimizer or, as far as that could be made out in this step, by the program itself."""
    optimizers = {name for event in step.events("optimizer_step") for name in event.targets}
    by_hand = (name for event in step.events("update") for name in event.targets)
    return frozenset((*(p.name for p in step.step.parameters if p.optimizer in optimizers), *by_hand))


def several(step: StepIndex) -> bool:
    """Two networks trained in one step, as adversaries in one compiled function are: gradients asked for at several places, and several updates."""
    places = {(event.site.file, event.site.line) if event.site else None for event in step.events("backward")}
    return len(places) > 1 and len(tuple(step.events("optimizer_step"))) > 1


def expected_ratios(step: StepIndex, optimizer: Optimizer, parameters: Iterable[Parameter]) -> tuple[float | None, ...]:
    """How far one update will move each parameter for its size, judged by its gradient and the rate; None where that is unknown."""
    rates = {name: group.rate for group in reversed(optimizer.groups) for name in group.parameters}
    return tuple(_expected_ratio(step, optimizer, p, rates.get(p.name)) for p in parameters)


def _expected_ratio(step: StepIndex, optimizer: Optimizer, parameter: Parameter, rate: float | None) -> float | None:
    norm, gradient, shape = parameter.norm, parameter.gradient_norm, step.value(parameter.value).shape
    if rate is None or not norm or not gradient or shape is None or not isfinite(norm) or not isfinite(gradient):
        return None
    return abs(rate) * (gradient if optimizer.native == "SGD" else prod(shape) ** 0.5) / norm


def optimizer_of(index: Index, step: StepIndex) -> Optimizer | None:
    """The optimizer that updates this step's parameters."""
    names = [target for event in step.events("optimizer_step") for target in event.targets]
    names += [p.optimizer for p in step.step.parameters if p.optimizer and p.gradient in ("finite", "zero")]
    return next((o for name in names for o in index.record.optimizers if o.name == name), None)
