"""The part of WG405 about programs that ask again and again for the gradient of their parameters, have no optimizer and update nothing by hand."""

from collections.abc import Iterator

from whygrad.diagnosis import Diagnosis, Evidence
from whygrad.flow import Index
from whygrad.idioms import idiom, speaks
from whygrad.rules.phrases import listed, plural

AGAIN = 50
"""Derivatives from which on this looks like training; what is analysed by a few gradients is left alone."""


def never_updated(index: Index) -> Iterator[Diagnosis]:
    """A note and no more: whoever estimates a Fisher matrix or compares gradients asks for them in the same way.

    Where a backward gives every leaf a gradient, that of the parameters may be a by-product; in JAX it is asked for.
    """
    outcome, record = index.record.outcome, index.record
    updates = any(True for step in index.steps for kind in ("optimizer_step", "update") for _ in step.events(kind))
    if not speaks(index, "jax") or record.optimizers or updates or outcome.stopped or outcome.backwards_seen < AGAIN:
        return
    step = next((step for step in index.steps if step.labels_reach_loss), None)
    held = [p.name for p in step.step.parameters if p.registered and p.value in step.gets_gradient] if step is not None else []
    still = [name for name in held if (ending := record.endings.get(name)) is not None and not ending.changed]
    asked = next((event.site for event in step.events("backward") if event.site), None) if step is not None else None
    if step is None or asked is None or len(held) < 2 or len(still) < len(held):  # noqa: PLR2004 - a model has several
        return
    yield Diagnosis(
        rule="WG405",
        name="missing-step",
        severity="note",
        confidence="proved",
        message=f"gradients are calculated {outcome.backwards_seen} times, and nothing updates the parameters",
        site=asked,
        label="no update follows",
        evidence=(
            Evidence(
                f"{listed(held)} got gradients and hold the same values at the end as at the first recorded step", "parameters", len(held)
            ),
            Evidence(f"{plural(outcome.backwards_seen, 'derivative')} in the run, no optimizer and no update by hand", "updates", 0),
        ),
        help=f"to train, {idiom(index, 'add the step', optimizer='optimizer')}; to look at gradients alone, all is well",
        kind=step.step.kind,
        step=step.step.index,
        names=tuple(held),
    )
