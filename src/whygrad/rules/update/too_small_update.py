"""WG412: updates so small that nothing moves in the run's length."""

from collections.abc import Iterator
from math import isclose

from whygrad.diagnosis import Diagnosis, Evidence, Fact, Test
from whygrad.flow import Index, StepIndex
from whygrad.flow.courses import course_of, expected_ratios, failure, fresh, optimizer_of, supervised
from whygrad.flow.origins import rate_set_at, set_at
from whygrad.flow.trials import trial_of
from whygrad.ir import Course, Descend, Optimizer
from whygrad.rules import rule
from whygrad.rules.magnitude.scales import course_told, fell_told
from whygrad.rules.phrases import distinct, figure, finite, percent, places, plural
from whygrad.rules.remedies_of_settings import rated, unit_rate
from whygrad.rules.update.fallen_rate import fallen_away
from whygrad.rules.update.laid_out import begun_only

LARGER = Descend(factor=100.0)
"""A hundred times: rates divided by a data set's size or by a batch twice are too small by that much."""
TOLD = {
    LARGER: "at a hundred times the rate",
    Descend(factor=1e3, steps=16): "at a thousand times the rate",
    Descend(factor=1e4, steps=16): "at ten thousand times the rate",
    Descend(factor=1e5, steps=16): "at a hundred thousand times the rate",
    Descend(factor=1e6, steps=16): "at a million times the rate",
}
"""Tried is the first of these at which some weight would move by `FELT` in one update."""
FELT = 5e-3
"""Share of its norm by which an update must move a weight for the few that are tried to show: at 3e-3 four of them took 2 % off a loss that Adam's usual rate halves."""
MOVED = 0.05
"""Share of their norm by which parameters could move in the whole run if all updates pointed one way; below it nothing was learnt."""
STIRRED = 1e-3
"""The same, below which the loss can't have fallen by what was learnt: an update of a whole run that small changes a loss by about as little."""
NEAR = 0.005
"""Share of its norm below which every parameter must move in one update for the experiment to be worth its time."""
MULTIPLIED = 0.05
"""Share of the optimizer's own rate that a schedule must reach at some update: warm-ups that are too long for a run stay below it, and so
does a function that returns a rate where a factor is due."""
OWN = 0.1
"""Largest rate of an optimizer that is meant as a rate: with 1.0 the schedule's function is meant to return the rate itself."""
STEPS = 40
"""Updates that must have been seen: shorter runs are tries."""
SHORT = 1000
"""Updates that shorter runs are given: what is too small for so many is too small for any try."""


@rule("WG412", "too-small-update", "warning", needs_values=True)
def diagnose(index: Index) -> Iterator[Diagnosis]:
    """
    The updates are so small that the parameters hardly move over the whole run.

    ## What it finds
    A run whose loss stands still, whose updates together could not move the parameters by a twentieth of their size, and whose loss a
    hundred times larger rate makes fall, or a larger one still where that is nothing yet: a rate divided by the size of the data set, a loss that was averaged twice. And a schedule that
    keeps the rate below a twentieth of the one that the optimizer was made with, all the run long: a function that returns a rate, where
    `LambdaLR` multiplies what it returns by the optimizer's own. And a schedule that is laid out for all updates of the run and stepped once an epoch, so that it never leaves its
    warm-up. And a schedule that takes the rate to a thousandth of its highest within the first quarter of the updates (boundaries in epochs, counted in
    steps), where the loss falls again at the highest rate when the run is over. Where an optimizer divides the gradients by a loss scale that no loss was multiplied by, that is told as the cause,
    and so is a moving average that overwrites the weights after each update.

    ## Why it matters
    The program is right in every line but one, and would need thousands of epochs.

    ## When it is fine
    Fine-tuning with tiny rates moves little and makes the loss fall all the same: silent. So is any run below forty updates, unless a
    thousand of them would not move anything either, a warm-up that is still under way, and a schedule that returns rates for an optimizer of rate 1.

    ## How sure
    Measured: by the loss over the run, the size of the recorded updates, and a few updates on copies of the parameters at a hundred times
    the rate or more, whose loss must fall at least twice as far as without. A loss scale is known by its calls: of a whole run none multiplied a loss.

    ## References
    `whygrad explain WG406` (no rate at all), `WG407` (updates below the spacing), `WG419` (epsilon), `WG507` (vanishing gradients).
    """
    yield from distinct(one for step in index.steps if supervised(index, step) for one in of_step(index, step))
    yield from distinct(one for step in index.steps if supervised(index, step) for one in while_it_rises(index, step))
    yield from begun_only(index)
    yield from distinct(one for step in index.steps if supervised(index, step) for one in fallen_away(index, step))


def of_step(index: Index, step: StepIndex) -> Iterator[Diagnosis]:
    """What the course of this step's loss and the size of its updates say."""
    course, optimizer = course_of(index, step), optimizer_of(index, step)
    if optimizer is None:
        return
    if multiplied(optimizer) or (fresh(index, step) and starts_low(optimizer)):
        yield scheduled(index, step, optimizer, course)
    elif worth_trying(index, step, optimizer, course):
        yield diagnosis(index, step, optimizer, course, None)
    elif course is not None and (failure(course) == "stands" or unstirred(step, optimizer, course)):
        ratio, divisor = largest_ratio(step), divides_by(optimizer)
        if ratio is None or not 0 < ratio * (course.steps if course.steps >= STEPS else SHORT) < MOVED:
            return
        if divisor is not None:
            yield unscaled(step, optimizer, course, divisor)
        else:
            yield (
                averaged(index, step, optimizer, course) if kept_of_update(optimizer) else diagnosis(index, step, optimizer, course, ratio)
            )


def unstirred(step: StepIndex, optimizer: Optimizer, course: Course) -> bool:
    """All updates of the run together move nothing by a thousandth of its size, at a rate that is the same all along, and what its losses fell by is the scatter of its batches."""
    ratio, rates = largest_ratio(step), optimizer.rates
    steady = rates is not None and 0 < rates[1] <= 2 * rates[0] and failure(course) is None and course.steps >= STEPS
    if not steady or ratio is None or course.first is None or course.last is None:
        return False
    return 0 < ratio * course.steps < STIRRED and course.first - course.last <= (course.noise or 0.0)


def worth_trying(index: Index, step: StepIndex, optimizer: Optimizer, course: Course | None) -> bool:
    """Nobody has seen yet how the loss goes, and nothing will move by much."""
    untold = fresh(index, step) or unseen(course, optimizer)
    plain = untold and divides_by(optimizer) is None and kept_of_update(optimizer) is None
    return plain and near(step, optimizer) and not far_enough(index, step)


def while_it_rises(index: Index, step: StepIndex) -> Iterator[Diagnosis]:
    """A warm-up that is under way, to a rate which may be far too small itself."""
    optimizer = optimizer_of(index, step)
    if optimizer is not None and fresh(index, step) and starts_low(optimizer) and worth_trying(index, step, optimizer, None):
        yield diagnosis(index, step, optimizer, None, None)


def unseen(course: Course | None, optimizer: Optimizer) -> bool:
    """The losses of most steps stayed within compiled functions."""
    return course is not None and course.steps < STEPS <= optimizer.steps and 2 * course.steps < optimizer.steps


def divides_by(optimizer: Optimizer) -> float | None:
    """The loss scale by which gradients are divided though no loss was multiplied by it."""
    divisor = optimizer.groups[0].settings.get("divides_by") if optimizer.groups else None
    return divisor if isinstance(divisor, float) and divisor > 1 else None


def kept_of_update(optimizer: Optimizer) -> float | None:
    """The share that is left of an update after which the weights are overwritten by their slow average; None where that comes later, or not at all."""
    settings = optimizer.groups[0].settings if optimizer.groups else {}
    every, momentum = settings.get("ema_overwrite_frequency"), settings.get("ema_momentum")
    return 1 - momentum if every == 1 and isinstance(momentum, float) and 0 < momentum < 1 else None


def own_rate(optimizer: Optimizer) -> float | None:
    """The rate that the optimizer was made with, where a schedule keeps it."""
    rate = optimizer.groups[0].settings.get("initial_lr") if optimizer.groups and optimizer.schedule_site else None
    return rate if isinstance(rate, float) and 0 < rate <= OWN else None


def starts_low(optimizer: Optimizer) -> bool:
    """The schedule begins far below the optimizer's own rate: it may only be warming up, which the run will tell."""
    own, rate = own_rate(optimizer), optimizer.groups[0].rate if optimizer.groups else None
    return own is not None and rate is not None and 0 < rate < MULTIPLIED * own


def at_own_rate(optimizer: Optimizer) -> Descend:
    """The experiment at the rate that the optimizer was made with."""
    own, rate = own_rate(optimizer), optimizer.groups[0].rate if optimizer.groups else None
    return Descend(factor=own / rate) if own and rate else LARGER


def multiplied(optimizer: Optimizer) -> bool:
    """No rate of the whole run comes near the optimizer's own, and the schedule is no warm-up under way: it fell again, or peaked at the square."""
    own, rates = own_rate(optimizer), optimizer.rates
    if own is None or rates is None or optimizer.steps < STEPS or not 0 < rates[1] < MULTIPLIED * own:
        return False
    falls = optimizer.last_rate is not None and optimizer.last_rate < rates[1]
    return falls or squared(optimizer)


def squared(optimizer: Optimizer) -> bool:
    """The schedule gives the rate itself, and the optimizer multiplies it by the same once more."""
    own, rates = own_rate(optimizer), optimizer.rates
    return own is not None and rates is not None and isclose(rates[1], own * own, rel_tol=1e-3)


def near(step: StepIndex, optimizer: Optimizer) -> bool:
    """No parameter will move by much in one update."""
    ratios = expected_ratios(step, optimizer, (p for p in step.step.parameters if p.optimizer == optimizer.name))
    return any(ratios) and all(ratio is None or ratio < NEAR for ratio in ratios)


def larger(step: StepIndex, optimizer: Optimizer) -> Descend:
    """The larger rate to try, or that was tried."""
    tried = next((change for change in TOLD if trial_of(step.step, change) is not None), None)
    weights = [p for p in step.step.parameters if p.optimizer == optimizer.name and len(step.value(p.value).shape or ()) > 1]
    ratio = max((found for found in expected_ratios(step, optimizer, weights) if found is not None), default=0.0)
    return tried or next((change for change in TOLD if ratio == 0 or ratio * change.factor >= FELT), tuple(TOLD)[-1])


def far_enough(index: Index, step: StepIndex) -> bool:
    """The updates of all the run together could move the parameters; nobody saw the loss, so that it may well have fallen (a jitted step that returns none)."""
    ratio, seen = largest_ratio(step), index.record.outcome.steps_seen
    return ratio is not None and ratio * (seen if seen >= STEPS else SHORT) >= MOVED


def largest_ratio(step: StepIndex) -> float | None:
    """The largest update of any weight matrix for its norm; of all parameters where there is none; None where none was measured, or where one was not finite."""
    found = [
        (len(step.value(p.value).shape or ()) > 1, p.update_norm / p.norm)
        for p in step.step.parameters
        if p.update_norm is not None
        and finite(p.update_norm)
        and p.norm is not None
        and finite(p.norm)
        and p.norm > 0
        and p.gradient == "finite"
    ]
    # a bias that began with zeros has a norm of nothing but its first updates
    return max((ratio for matrix, ratio in found if matrix), default=max((ratio for _, ratio in found), default=None))


def diagnosis(index: Index, step: StepIndex, optimizer: Optimizer, course: Course | None, ratio: float | None) -> Diagnosis:
    """What is said, at the rate."""
    kind, change = str(step.step.kind), larger(step, optimizer)
    rate = optimizer.groups[0].rate if optimizer.groups else optimizer.last_rate
    told = (
        (
            Evidence(
                f"one update moves no parameter by more than {ratio:.2g} of its norm, so that {course.steps} of them move it by {percent(ratio * course.steps, 1)} at most",
                "update_ratio",
                ratio,
            ),
        )
        if ratio is not None and course is not None
        else ()
    )
    return Diagnosis(
        rule="WG412",
        name="too-small-update",
        severity="warning",
        confidence="measured",
        message=f"the updates of `{optimizer.name}` (learning rate {figure(rate)}) are too small for anything to be learnt in this run",
        site=rate_set_at(index, optimizer),
        label="the rate is set here",
        related=places((optimizer.site if set_at(index, optimizer, "lr") else None, f"`{optimizer.name}` is made here")),
        evidence=(*told, *fell_told(step, change, TOLD[change]), *(() if unseen(course, optimizer) else course_told(course))),
        help="raise the learning rate, and look for a factor that makes the loss or the rate small: a division by the data set's or the batch's size",
        facts=frozenset({Fact("stands", kind)}),
        kind=step.step.kind,
        names=(optimizer.name,),
        remedy=rated(index, optimizer, change.factor, change),
        test=Test(change, f"{TOLD[change]} the loss falls at least twice as far", required=True),
    )


def unscaled(step: StepIndex, optimizer: Optimizer, course: Course, divisor: float) -> Diagnosis:
    """What is said, where the loss is differentiated that should have been multiplied."""
    asked = next((event.site for event in step.events("backward") if event.site), None)
    applied = next((event.site for event in step.events("optimizer_step") if event.site), None)
    return Diagnosis(
        rule="WG412",
        name="too-small-update",
        severity="warning",
        confidence="measured",
        message=f"`{optimizer.name}` divides the gradients by its loss scale, and no loss is multiplied by it: the updates are too small for anything to be learnt",
        site=asked or optimizer.site,
        label="the loss is differentiated as it is",
        related=places(
            (applied, f"the gradients are divided by {divisor:,.0f} here"), (optimizer.site, f"`{optimizer.name}` is made here")
        ),
        evidence=(
            Evidence(
                f"{plural(optimizer.steps, 'update')} divided the gradients by {divisor:,.0f}, and no loss was multiplied by that in the whole run",
                "scale",
                divisor,
            ),
            Evidence(
                f"one update moves no parameter by more than {figure(largest_ratio(step))} of its norm", "update_ratio", largest_ratio(step)
            ),
            *course_told(course),
        ),
        help=f"under the tape, differentiate `{optimizer.name}.scale_loss(loss)` in place of the loss",
        facts=frozenset({Fact("stands", str(step.step.kind))}),
        kind=step.step.kind,
        names=(optimizer.name,),
    )


def averaged(index: Index, step: StepIndex, optimizer: Optimizer, course: Course) -> Diagnosis:
    """What is said, where the average is told to overwrite the weights."""
    kept = kept_of_update(optimizer)
    return Diagnosis(
        rule="WG412",
        name="too-small-update",
        severity="warning",
        confidence="measured",
        message=f"`{optimizer.name}` overwrites the weights by their moving average after each update, so that nothing is learnt in this run",
        site=set_at(index, optimizer, "ema_overwrite_frequency") or optimizer.site,
        label="the average overwrites the weights after each update",
        related=places((optimizer.site, f"`{optimizer.name}` is made here")),
        evidence=(
            Evidence(f"with `ema_overwrite_frequency=1` and its momentum, {percent(kept or 0.0, 1)} is left of each update", "kept", kept),
            Evidence(
                f"one update moves no parameter by more than {figure(largest_ratio(step))} of its norm",
                "update_ratio",
                largest_ratio(step),
            ),
            *course_told(course),
        ),
        help="leave `ema_overwrite_frequency` out, and take the average over at the end: `fit` does so by itself; or overwrite once in hundreds of updates",
        facts=frozenset({Fact("stands", str(step.step.kind))}),
        kind=step.step.kind,
        names=(optimizer.name,),
    )


def scheduled(index: Index, step: StepIndex, optimizer: Optimizer, course: Course | None) -> Diagnosis:
    """What is said, at the schedule."""
    own, high = own_rate(optimizer), optimizer.rates[1] if optimizer.rates else None
    factor = (high or 0.0) / (own or 1.0)
    kind = str(step.step.kind)
    return Diagnosis(
        rule="WG412",
        name="too-small-update",
        severity="warning",
        confidence="measured",
        message=f"the schedule of `{optimizer.name}` keeps its learning rate at {figure(high)} or below, though it was made with {figure(own)}",
        site=set_at(index, optimizer, "schedule") or optimizer.schedule_site,
        label=f"its factor is never above {figure(factor)}",
        related=places((optimizer.site, "the rate that the factor is multiplied by"), (optimizer.rate_site, "the rate is set here")),
        evidence=(
            Evidence(f"the largest factor over {plural(optimizer.steps, 'update')} was {figure(factor)}", "rate", high),
            *fell_told(step, at_own_rate(optimizer), "at the optimizer's own rate"),
            *course_told(course),
        ),
        help="return a factor between 0 and 1 from the schedule's function, which is multiplied by the optimizer's rate; or make the optimizer with `lr=1.0`",
        facts=frozenset({Fact("stands", kind)}),
        kind=step.step.kind,
        names=(optimizer.name,),
        remedy=unit_rate(index, optimizer) if squared(optimizer) else None,
        test=Test(at_own_rate(optimizer), "at the optimizer's own rate the loss falls at least twice as far", required=True),
    )
