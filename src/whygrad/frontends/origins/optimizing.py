"""The origins of an optimizer's settings, which may stand elsewhere than where it is made."""

import math
from collections.abc import Iterator

from whygrad.frontends.origins.lists import list_taken
from whygrad.frontends.origins.program import Program
from whygrad.frontends.origins.settings import ALSO, factor_places, literal_places, schedule_calls, schedule_places, written_places
from whygrad.ir import Optimizer, Origin, Site

SETTINGS = ("eps", "weight_decay", "momentum", "ema_overwrite_frequency")
"""What is looked for beside the rate."""


def of_optimizer(program: Program, optimizer: Optimizer) -> Iterator[Origin]:
    """Where its rate, its other settings and its schedule come from."""
    if optimizer.site is None:
        return
    group = optimizer.groups[0] if optimizer.groups else None
    settings = {name: group.settings.get(name) for name in SETTINGS} if group is not None else {}
    begun = group.settings.get("initial_lr", group.rate) if group is not None else None
    for name, value in (("lr", begun), *settings.items()):
        if isinstance(value, int | float) and math.isfinite(value):
            words = (name, ALSO.get(name, name))
            found = next(filter(None, (literal_places(program, optimizer.site, word, float(value)) for word in words)), ())
            for site in found or (factor_places(program, optimizer.site, float(value)) if name == "lr" else ()):
                yield Origin(optimizer=optimizer.name, setting=name, site=site)
    taken = list_taken(program, optimizer.given_site) if optimizer.given_site is not None else None
    if taken is not None:
        yield Origin(optimizer=optimizer.name, setting="held", site=taken)
    yield from _of_schedule(program, optimizer, optimizer.site)


def _of_schedule(program: Program, optimizer: Optimizer, made: Site) -> Iterator[Origin]:
    """What gives the rate beside the optimizer's own number: a function of the user's, a library's schedule, a line that writes it."""
    if optimizer.schedule_site is not None:
        for site in schedule_places(program, optimizer.schedule_site):
            yield Origin(optimizer=optimizer.name, setting="schedule", site=site)
        return
    low, high = optimizer.rates or (0.0, 0.0)
    for site in schedule_calls(program, made) if low < high else ():
        yield Origin(optimizer=optimizer.name, setting="schedule", site=site)
    if optimizer.idle_from and optimizer.rate_site is None:
        for site in written_places(program):
            yield Origin(optimizer=optimizer.name, setting="written", site=site)
