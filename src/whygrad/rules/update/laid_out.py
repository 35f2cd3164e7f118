"""The part of WG412 that tells of a schedule which is laid out for all updates of a run and stepped far less often."""

from collections.abc import Iterator

from whygrad.diagnosis import Diagnosis, Evidence, Fact
from whygrad.flow import Index
from whygrad.ir import Optimizer
from whygrad.rules.phrases import figure, places, plural

SHARE = 0.25
"""Share of its length that a schedule may have come by the end of the run; one cycle still climbs there, and what is stopped a little early has come further."""
NEAR = 0.1
"""Share by which the length may differ from the number of updates: an epoch's last batch that is dropped, a run that is resumed."""


def begun_only(index: Index) -> Iterator[Diagnosis]:
    """Schedules whose length is the number of updates, in a program that came to its end."""
    outcome = index.record.outcome
    whole = outcome.exception is None and not outcome.stopped and outcome.exit_status in (None, 0)
    for optimizer in index.record.optimizers if whole and index.steps else ():
        if optimizer.laid_out is not None:
            length, calls = optimizer.laid_out
            if 0 < calls <= SHARE * length and abs(length - optimizer.steps) <= NEAR * length:
                yield _diagnosis(index, optimizer, length, calls)


def _diagnosis(index: Index, optimizer: Optimizer, length: int, calls: int) -> Diagnosis:
    rates = optimizer.rates
    kind = index.steps[-1].step.kind
    return Diagnosis(
        rule="WG412",
        name="too-small-update",
        severity="warning",
        confidence="proved",
        message=f"the schedule of `{optimizer.name}` is laid out for {plural(length, 'update')} and was stepped {calls} times: it has hardly begun when the run ends",
        site=optimizer.rate_site or optimizer.schedule_site,
        label=f"runs {calls} times in {plural(optimizer.steps, 'update')}",
        related=places((optimizer.schedule_site, f"its length is {length} here")),
        evidence=(
            Evidence(
                f"{plural(optimizer.steps, 'update')}, a length of {length}, and {plural(calls, 'step')} of the schedule"
                + (f"; the rate went from {figure(rates[0])} to {figure(rates[1])}" if rates else ""),
                "schedule_steps",
                calls,
            ),
        ),
        help="step the schedule after every update, or give it the number of epochs for its length",
        facts=frozenset({Fact("rate", optimizer.name)}),
        explains=frozenset({Fact("stands", str(kind))}),
        kind=kind,
        names=(optimizer.name,),
    )
