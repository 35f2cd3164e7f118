"""WG406: the learning rate is zero at every update."""

import re
from collections.abc import Iterator
from dataclasses import replace
from math import isnan

from whygrad.diagnosis import Diagnosis, Edit, Evidence, Fact, Remedy, Severity
from whygrad.flow import Index, StepIndex
from whygrad.flow.origins import rate_set_at, set_at
from whygrad.flow.signs import loss_signs
from whygrad.idioms import idiom, speaks, speaks_torch
from whygrad.ir import Group, Optimizer, Site
from whygrad.rules import rule
from whygrad.rules.loss.loss_sign import joins
from whygrad.rules.phrases import figure, places, plural
from whygrad.rules.remedies import quotient, remedy
from whygrad.rules.remedies_of_settings import lengthened, literal_rate, told_rate
from whygrad.rules.update.plateau import cut_against, cut_on_progress

IDLE = 0.25
"""Share of all updates from which a schedule that has reached zero is too short; one that ends there has a last few, or one in ten."""
MOST = 0.5
"""Share from which it is an error."""
NOTHING = 2.0**-24
"""Share of the highest rate that counts as none, as front ends have it."""
IDLE_UPDATES = 10
"""Updates at a rate of zero that must have been seen."""
DOWNHILL = -0.3
"""Cosine of an update with its gradient. Of 40 sound JAX programs of the corpus it lies below that for nearly all parameters; where a negative rate moves them it lies above 0."""
ENOUGH = 2
"""Updates that must have been seen: a warm-up may begin at zero."""


@rule("WG406", "zero-learning-rate", "error")
def diagnose(index: Index) -> Iterator[Diagnosis]:
    """
    Updates are made with a learning rate of zero, or a negative one: all of them, or all from early in the run on.

    ## What it finds
    An optimizer whose largest rate over all its updates is not above 0: a rate that integer division or a rounding setting made 0, a
    schedule whose factor is 0 from its first step, a warm-up that never begins. Also a parameter group of rate 0 among others that move, and
    a schedule that reaches 0 long before the end: one laid out in epochs and stepped after every batch, or one that multiplies what it has multiplied
    before, and one that waits for a loss to rise (`ReduceLROnPlateau(mode="max")`) and cuts the rate because it falls. As good as 0 is a rate so far below the highest that single precision has no place for its updates beside one of those (2 to the power of -24); in JAX, of Adam's relatives, whose updates are as large as the rate, also no place beside the numbers that they change.

    ## Why it matters
    The optimizer steps and nothing moves. With a negative rate the loss is driven up.

    ## When it is fine
    A score that is climbed on purpose, where updates are added by hand or by a chain of optax's: only a loss that falls as prediction and labels agree is spoken of, and not where another step descends (sharpness-aware training).
    A warm-up may begin at 0 and a schedule may end there: less than a quarter of all updates at 0 are passed over. A group with pretrained weights
    may be held still by a rate of 0, although `requires_grad_(False)` would say it more clearly. A scheduler that waits for a score to rise may see it
    fall: what it is given is taken for a loss where it began at the size of the training loss, and fell.

    ## How sure
    Proved by the rates at all updates of the run. Where the program was stopped early while a schedule was at work, it is suspected only.

    ## References
    PyTorch, `torch.optim.lr_scheduler`; Keras, `keras.optimizers.schedules`; optax, "Optimizer schedules": `whygrad explain WG412` for rates that are only too small.
    """
    for optimizer in index.record.optimizers:
        if never_above_zero(optimizer):
            if climbs_on_purpose(index, optimizer):
                continue
            yield whole(index, optimizer)
        elif cut_on_progress(optimizer):
            yield cut_against(index, optimizer)
        elif ran_out(optimizer):
            yield spent(index, optimizer)
        else:
            yield from (part(index, optimizer, group) for group in optimizer.groups if stands_still(index, optimizer, group))


def never_above_zero(optimizer: Optimizer) -> bool:
    """Two updates or more, and no rate above zero; NaN is no rate at all and none of this rule's business."""
    if optimizer.rates is None or optimizer.steps < ENOUGH or any(isnan(rate) for rate in optimizer.rates):
        return False
    return optimizer.rates[1] <= 0


def climbs_on_purpose(index: Index, optimizer: Optimizer) -> bool:
    """Updates of JAX's are written out as sums, and a score is climbed as often as a loss is descended: only what is known to be a loss must fall."""
    if optimizer.rates is None or optimizer.rates[0] >= 0 or all(framework.name != "jax" for framework in index.record.frameworks):
        return False
    # timid: with its sign unknown it may be a score
    return not any(is_loss(step) for step in index.steps) or any(descends(step) for step in index.steps)


def descends(step: StepIndex) -> bool:
    """All that this step moves goes down its gradient: what climbed before only looked for the place to take it at (sharpness-aware training)."""
    along = [p.along for p in step.step.parameters if p.moved]
    return bool(along) and all(one is not None and one <= DOWNHILL for one in along)


def is_loss(step: StepIndex) -> bool:
    """What is differentiated falls as prediction and labels agree: by a loss function, or by all places of a formula at which the two meet."""
    signs = step.once(loss_signs)
    if any(signs.get(op.output) == 1 for op in step.loss_ops() if op.outputs):
        return True
    met = [join.agreement for join in joins(step)] if step.losses else []
    return bool(met) and all(agreement < 0 for agreement in met)


def ran_out(optimizer: Optimizer) -> bool:
    """The rate was zero, or nothing next to the highest, for the last quarter of the updates or more; one that is the same all along and not zero is too small (WG412), and ran out of nothing."""
    if optimizer.idle_from is None or optimizer.last_rate is None or (optimizer.rates and optimizer.rates[0] == optimizer.rates[1] > 0):
        return False
    idle = optimizer.steps - optimizer.idle_from
    return idle >= IDLE_UPDATES and idle >= IDLE * optimizer.steps


def spent(index: Index, optimizer: Optimizer) -> Diagnosis:
    """A schedule that has reached zero long before the end."""
    start, steps = optimizer.idle_from or 0, optimizer.steps
    held = [name for group in optimizer.groups for name in group.parameters]
    highest, last = optimizer.rates[1] if optimizer.rates else None, optimizer.last_rate or 0.0
    lost = highest is not None and last > NOTHING * highest
    below = (
        f"{figure(last)}, so that an update is lost beside the numbers that it changes" if lost else f"0 or below {figure(NOTHING)} of that"
    )
    gone = "is zero" if not optimizer.last_rate else "is as good as zero"
    found = _diagnosis(
        index,
        optimizer,
        held,
        severity="error" if steps - start >= MOST * steps else "warning",
        message=f"the learning rate of `{optimizer.name}` {gone} from update {start} on: {steps - start} of {plural(steps, 'update')} change nothing",
        evidence=Evidence(
            f"the rate was at most {figure(highest)}, and from update {start} to update {steps} {below}",
            "updates",
            steps - start,
        ),
        early=False,
    )
    written = speaks_torch(index) and overwritten(optimizer)
    site = set_at(index, optimizer, "written") if written else None
    return replace(
        found,
        site=site or found.site,
        label="the rate is written here" if site else "made with a rate that something else overwrites later" if written else found.label,
        related=places((optimizer.site if site else None, f"`{optimizer.name}` is made here")) or found.related,
        help=WHOLE
        if cuts_fractions(found.site, optimizer)
        else "reckon with what the schedule multiplies: the values of `optax.piecewise_constant_schedule` are factors on all that came before, not rates"
        if lost
        else idiom(index, "schedule units")
        if optimizer.schedule_site or set_at(index, optimizer, "schedule") or not (optimizer.rate_site or written)
        else _slower(found.site, start, steps),
        explains=frozenset(),
        remedy=None if written else found.remedy or _longer(index, optimizer),
    )


def _longer(index: Index, optimizer: Optimizer) -> Remedy | None:
    """A schedule that is laid out in epochs: stepped after each of them where the program steps it, else laid out in updates."""
    if not speaks_torch(index):
        seen = optimizer.idle_from or 0
        # a compiled loop of Keras' is looked at after 1, 2, 4, 8 updates and so on: it may have ended after half of those that were seen
        made = optimizer.schedule_site or set_at(index, optimizer, "schedule")
        return lengthened(made, seen // 2 + 1 if speaks(index, "tensorflow") and seen else seen, optimizer.steps)
    site = optimizer.rate_site
    updated = [step for step in index.steps if step.step.updated]
    each = bool(updated) and all(any(optimizer.name in e.targets for e in step.events("scheduler_step")) for step in updated)
    if site is None or not each or not site.text.strip().endswith(".step()"):
        return None
    after = Edit("move", site, to=site, after=True, around="epoch")
    return remedy("step the schedule after each epoch", after, changes="the rate falls as many times more slowly as an epoch has batches")


def overwritten(optimizer: Optimizer) -> bool:
    """The rate was above zero at first, and no scheduler is known that changed it: the program writes it, and another one at the start would not last."""
    return bool(optimizer.idle_from) and optimizer.rate_site is None and optimizer.schedule_site is None


def stands_still(index: Index, optimizer: Optimizer, group: Group) -> bool:
    """One group of several, at rate 0 from the first update on, none of whose parameters moved though they had gradients."""
    if group.rate is None or not group.rate <= 0 or optimizer.steps < ENOUGH or len(optimizer.groups) == 1:
        return False
    endings = [index.record.endings[name] for name in group.parameters if name in index.record.endings]
    # timid: pretrained weights are sometimes held still by their rate
    loaded = any(index.parameters[name].loaded for name in group.parameters if name in index.parameters)
    return (
        bool(endings) and not loaded and not any(ending.changed for ending in endings) and any(ending.gradient_seen for ending in endings)
    )


def whole(index: Index, optimizer: Optimizer) -> Diagnosis:
    """All of an optimizer."""
    low, high = optimizer.rates or (0.0, 0.0)
    # timid: a program that was stopped early may not have reached the end of its warm-up
    early = bool(index.record.outcome.stopped) and optimizer.rate_site is not None
    range_ = figure(high) if low == high else f"between {figure(low)} and {figure(high)}"
    what = "zero" if low == high == 0 else "never above zero" if high == 0 else "negative"
    held = [name for group in optimizer.groups for name in group.parameters]
    return _diagnosis(
        index,
        optimizer,
        held,
        severity="warning" if early else "error",
        message=f"the learning rate of `{optimizer.name}` is {what} at every update",
        evidence=Evidence(f"the rate was {range_} over {plural(optimizer.steps, 'update')}{' so far' if early else ''}", "rate", high),
        early=early,
    )


def part(index: Index, optimizer: Optimizer, group: Group) -> Diagnosis:
    """One group of an optimizer."""
    return _diagnosis(
        index,
        optimizer,
        list(group.parameters),
        severity="warning",
        message=f"the learning rate of one group of `{optimizer.name}` is {figure(group.rate)}: {plural(len(group.parameters), 'parameter')} with a gradient never {'moves' if len(group.parameters) == 1 else 'move'}",
        evidence=Evidence(
            f"its rate was {figure(group.rate)} at the first recorded update, and its parameters hold the same values at the end",
            "rate",
            group.rate,
        ),
        early=False,
    )


WHOLE = "divide with `/`: `//` cuts the fraction off, and gives 0 until the first whole number is reached"


def _driven_up(index: Index, optimizer: Optimizer) -> frozenset[Fact]:
    """A loss that a negative rate drives up has no bound, and overflows in the end."""
    if optimizer.rates is None or not optimizer.rates[0] < 0:
        return frozenset()
    return frozenset(Fact("non-finite", name) for step in index.steps for name in step.losses)


def _help(index: Index, optimizer: Optimizer, *, scheduled: bool) -> str:
    if optimizer.rates is not None and optimizer.rates[0] < 0:
        return idiom(index, "turned rate")
    return "print the factor that the schedule returns at its first steps" if scheduled else idiom(index, "positive rate")


def _diagnosis(
    index: Index, optimizer: Optimizer, held: list[str], *, severity: Severity, message: str, evidence: Evidence, early: bool
) -> Diagnosis:
    # whatever factor a schedule has, it makes nothing of a rate of 0
    whole = not began_at_zero(optimizer)
    set_by = (optimizer.rate_site or optimizer.schedule_site) if whole else None
    factor = set_at(index, optimizer, "schedule") if whole else None
    scheduled = set_by is not None or factor is not None
    site = factor or set_by or rate_set_at(index, optimizer)
    return Diagnosis(
        rule="WG406",
        name="zero-learning-rate",
        severity=severity,
        confidence="suspected" if early else "proved",
        message=message,
        site=site,
        label="the rate was last set here"
        if site == optimizer.rate_site
        else "the schedule is made here"
        if site == optimizer.schedule_site or (factor is not None and optimizer.rate_site is None)
        else "the factor of the rate"
        if factor
        else "the rate is set here",
        related=places(
            (optimizer.rate_site if factor else None, "the rate was last set here"),
            (optimizer.site if optimizer.site != site else None, f"`{optimizer.name}` is made here"),
        ),
        evidence=(evidence,),
        help=WHOLE if cuts_fractions(site, optimizer) else _help(index, optimizer, scheduled=scheduled),
        facts=frozenset({Fact("no-rate", optimizer.name)}),
        explains=frozenset(Fact("unmoved", name) for name in held) | _driven_up(index, optimizer),
        names=(optimizer.name,),
        remedy=quotient(site)
        if cuts_fractions(site, optimizer)
        else turned(site, optimizer) or (None if scheduled else _remedy(index, optimizer)),
    )


_OF_THE_MOMENT = re.compile(r"\b(lr|rate|learning_rate|current\w*|optimizer|param_group|group)\b|\*=")
"""Words of a line that reckons a rate from the one before it."""


def _slower(site: Site | None, start: int, steps: int) -> str:
    """What to change where a line of the program's own gives the rate: it acts on its own result, or it falls too fast."""
    if site is None or _OF_THE_MOMENT.search(site.text):
        return "reckon each rate from the one that training began with: a factor on the rate of the moment acts anew at every call"
    return f"let the rate fall more slowly: it is gone after {start} of {plural(steps, 'update')}. What is called once an epoch has to count epochs, not updates"


def began_at_zero(optimizer: Optimizer) -> bool:
    """The optimizer was made with a rate of 0 or below, by what its groups remember of that."""
    begun = [group.settings.get("initial_lr") for group in optimizer.groups]
    return bool(begun) and all(isinstance(rate, int | float) and rate <= 0 for rate in begun)


def cuts_fractions(site: Site | None, optimizer: Optimizer) -> bool:
    """One floor division on the line that gives a rate of exactly 0: whatever is smaller than what it is divided by becomes 0."""
    nothing = optimizer.last_rate == 0 or (optimizer.rates is not None and optimizer.rates[1] == 0)
    return nothing and site is not None and site.text.partition("#")[0].count("//") == 1


_UNTURNED = "scale_by_schedule"
"""The link of optax's that multiplies by what a schedule gives, and leaves the sign to another one."""


def turned(site: Site | None, optimizer: Optimizer) -> Remedy | None:
    """The link that takes the same schedule and turns the sign, in the place of the one that does not."""
    if site is None or optimizer.rates is None or optimizer.rates[0] >= 0 or f"{_UNTURNED}(" not in site.text:
        return None
    return remedy("let the schedule's link turn the sign", Edit("callee", site, "optax.scale_by_learning_rate", (_UNTURNED,)))


def _remedy(index: Index, optimizer: Optimizer) -> Remedy | None:
    """A usual rate for an optimizer of this kind: what frameworks have for their defaults."""
    rate = "0.01" if "SGD" in optimizer.native or optimizer.native.endswith("sgd") else "0.001"
    # in a chain of optax' the rate is that of the link
    link = (optimizer.native.lower(),) if optimizer.site is not None and "chain(" in optimizer.site.text else ()
    told = told_rate(index, optimizer, rate, link)
    return remedy(
        f"give a rate of {rate}",
        literal_rate(index, optimizer, rate) or told,
        otherwise=(told,),
        changes=f"{rate} is a usual rate, not one that was found for this program",
    )
