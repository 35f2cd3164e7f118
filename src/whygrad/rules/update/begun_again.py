"""The part of WG415 that tells of a function which trains parameters and keeps what comes of it from everybody, so that each call begins with the same ones."""

import re
from collections.abc import Iterator

from whygrad.diagnosis import Diagnosis, Edit, Evidence, Fact, Remedy
from whygrad.flow import Index, StepIndex
from whygrad.flow.origins import unkept_at
from whygrad.ir import Event, Site
from whygrad.rules.phrases import places, plural
from whygrad.rules.remedies import remedy

TIMES = 2
"""How often training must have gone back to where it began: two runs of one function from one start may be a comparison."""
SHARE = 0.5
"""Share of all updates that must be lost in this way, as for weights that are put back: a run that loses fewer has trained something by the others."""
_TAKES = re.compile(r"^\s*([\w, ]+?)\s*=\s*((?:\w+\.)+\w+(?:\s*,\s*(?:\w+\.)+\w+)*)\s*$")
"""`params, state = self.params, self.state`."""


def begun_again(index: Index) -> Iterator[Diagnosis]:
    """Where the arrays say that training begins with the same parameters over and over, and the source that nobody reads what became of them."""
    for step in index.steps:
        for event in step.events("dropped"):
            times, updates, site = event.attributes.get("times"), event.attributes.get("updates"), unkept_at(index)
            if event.attributes.get("what") != "begun again" or not isinstance(times, int) or not isinstance(updates, int) or site is None:
                continue
            if times >= TIMES and updates >= SHARE * index.record.outcome.steps_seen:
                yield _diagnosis(index, step, event, site, times, updates)


def _diagnosis(index: Index, step: StepIndex, event: Event, site: Site, times: int, updates: int) -> Diagnosis:
    trained = event.site
    apart = trained is not None and trained.line_of_code != site.line_of_code
    return Diagnosis(
        "WG415",
        "updated-copy",
        "error",
        "measured",
        f"training begins again with the same parameters at each of {times + 1} calls: what `{site.function.rpartition('.')[2]}` makes of them goes nowhere",
        site=site,
        label="the parameters are taken over here, and never given back"
        if apart
        else "what is trained here is read by nothing behind the loop",
        related=places(
            (trained if apart else None, "trains them"),
            (trained.caller() if trained is not None and trained.callers else None, "called from here"),
        ),
        evidence=(
            Evidence(
                f"the step was given the very arrays that the run began with {times} times more, after updates had been made of them",
                "times",
                times,
            ),
            Evidence(f"{updates} of the run's {plural(index.record.outcome.steps_seen, 'update')} are lost so", "updates", updates),
        ),
        help="give the parameters and the optimizer's state back: return them and bind them anew where the function is called, or put them back where they were taken from",
        explains=frozenset(Fact(what, str(step.step.kind)) for what in ("stands", "no-update")),
        kind=step.step.kind,
        step=step.step.index,
        names=event.targets[:1],
        remedy=_back(site, trained) if apart else None,
    )


def _back(site: Site, trained: Site | None) -> Remedy | None:
    """What was taken over, back to where it came from, behind the loop that trains it."""
    taken = _TAKES.match(site.text)
    if taken is None or trained is None or taken[1].count(",") != taken[2].count(","):
        return None
    return remedy("give back what was trained", Edit("insert", trained, f"{taken[2]} = {taken[1]}", around="loop"))
