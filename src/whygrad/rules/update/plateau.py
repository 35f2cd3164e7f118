"""WG406: a scheduler that takes each better value for a worse one, and cuts the rate for it."""

from math import isfinite

from whygrad.diagnosis import Diagnosis, Evidence, Fact
from whygrad.flow import Index
from whygrad.flow.origins import set_at
from whygrad.idioms import speaks_torch
from whygrad.ir import Optimizer, Plateau
from whygrad.rules.phrases import figure, places, plural
from whygrad.rules.remedies import remedy, setting

IDLE = 0.25
"""Share of all updates from which a rate that has fallen so far is too short, as for one that has reached zero."""
CUTS = 2
"""Cuts that must have been seen: a single one may be asked for."""
KERAS_MODE = 4
"""Position of the mode among what `keras.callbacks.ReduceLROnPlateau` is given."""
ALIKE = 2.0
"""Factor within which the first value is of the training loss's size: scores between 0 and 1 or in per cent that happen to be, rise or stay."""


def cut_on_progress(optimizer: Optimizer) -> bool:
    """The rate was low for much of the run since no value counted as better than the first, though they fell, as the training loss that they began at did."""
    seen = optimizer.plateau
    if seen is None or seen.mode != "max" or seen.better or seen.cuts < CUTS or seen.low_from is None or not _fell(seen):
        return False
    return optimizer.steps - seen.low_from >= IDLE * optimizer.steps


def _fell(seen: Plateau) -> bool:
    """Values and training losses went down until the first cut. What is not finite is no progress."""
    if seen.first is None or seen.at_cut is None or seen.losses is None:
        return False
    numbers = (seen.first, seen.at_cut, *seen.losses)
    if not all(isfinite(number) for number in numbers) or seen.first <= 0 or seen.losses[0] <= 0:
        return False
    # timid: a score that falls while the training loss does is another story: the model learns its data by heart
    return seen.at_cut < seen.first and seen.losses[1] < seen.losses[0] and 1 / ALIKE <= seen.first / seen.losses[0] <= ALIKE


def cut_against(index: Index, optimizer: Optimizer) -> Diagnosis:
    """What is said, at the scheduler."""
    seen = optimizer.plateau or Plateau()
    high, start = optimizer.rates[1] if optimizer.rates else None, seen.low_from or 0
    losses = seen.losses or (0.0, 0.0)
    return Diagnosis(
        rule="WG406",
        name="zero-learning-rate",
        severity="error",
        confidence="measured",
        message=f"the schedule of `{optimizer.name}` takes falling losses for no progress and cuts the rate from {figure(high)} to {figure(optimizer.last_rate)}",
        site=set_at(index, optimizer, "schedule") or optimizer.schedule_site,
        label=f'it waits for higher values (`mode="{seen.mode}"`)',
        related=places((optimizer.rate_site, "it is given a loss here"), (optimizer.site, f"`{optimizer.name}` is made here")),
        evidence=(
            Evidence(
                f"none of {plural(seen.calls, 'value')} counted as better than the first: {figure(seen.first)}, then {figure(seen.at_cut)} when the rate was first cut, {figure(seen.last)} in the end",
                "values",
                seen.calls,
            ),
            Evidence(f"the training loss went from {figure(losses[0])} to {figure(losses[1])} until that cut"),
            Evidence(
                f"from update {start} on, {optimizer.steps - start} of {plural(optimizer.steps, 'update')} had a twentieth of the highest rate or less",
                "updates",
                optimizer.steps - start,
            ),
        ),
        help='say `mode="min"` for a value that is to fall; `mode="max"` is for scores',
        facts=frozenset({Fact("no-rate", optimizer.name)}),
        explains=frozenset(Fact("stands", str(kind)) for kind in index.kinds),
        names=(optimizer.name,),
        remedy=remedy(
            "wait for lower values", setting(optimizer.schedule_site, "mode", '"min"', position=1 if speaks_torch(index) else KERAS_MODE)
        ),
    )
