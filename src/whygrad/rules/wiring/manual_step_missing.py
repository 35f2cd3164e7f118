"""WG704: manual optimisation without a step."""

from collections.abc import Iterator

from whygrad.diagnosis import Diagnosis, Evidence, Fact
from whygrad.flow import Index, StepIndex
from whygrad.flow.timeline import moves
from whygrad.ir import Event, Site
from whygrad.rules import rule
from whygrad.rules.phrases import listed, places, plural

MANUAL = "manual_backward"
"""The function of the framework's that a backward goes through in manual optimisation."""


@rule("WG704", "manual-step-missing", "error")
def diagnose(index: Index) -> Iterator[Diagnosis]:
    """
    Manual optimisation is on, gradients are calculated, and the optimizer is never asked to step.

    ## What it finds
    Backwards that go through the framework's `manual_backward`, in a run in which none of the optimizers ever stepped.

    ## Why it matters
    With `automatic_optimization = False` the framework does nothing by itself: it neither clears nor steps. The loss is logged, and nothing moves.

    ## When it is fine
    Runs whose optimizers step, be it every so many batches.

    ## How sure
    Proved by the events of the whole run.

    ## References
    Lightning, "Manual optimization".
    """
    idle = [optimizer for optimizer in index.record.optimizers if not optimizer.steps]
    if not idle or any(optimizer.steps for optimizer in index.record.optimizers):
        return
    for step in index.steps:
        manual = next((event for event in step.events("backward") if _through_manual(event.site)), None)
        if manual is not None and not any(moves(step, event) for event in step.step.events):
            yield _about(index, step, manual, [optimizer.name for optimizer in idle])
            return


def _through_manual(site: Site | None) -> bool:
    return site is not None and (MANUAL in site.text or any(frame.function.endswith(MANUAL) for frame in site.library))


def _about(index: Index, step: StepIndex, manual: Event, names: list[str]) -> Diagnosis:
    kinds = {str(kind) for kind in index.kinds}
    fed = {p.name for p in index.parameters.values() if p.name in index.with_gradient}
    return Diagnosis(
        "WG704",
        "manual-step-missing",
        "error",
        "proved",
        f"manual optimisation is on, and {listed(names)} never {'steps' if len(names) == 1 else 'step'}",
        site=manual.site,
        label="the gradients are calculated here, and nothing uses them",
        related=places(*((o.site, f"`{o.name}` is made here") for o in index.record.optimizers if o.name in names)),
        evidence=(Evidence(f"{plural(index.record.outcome.backwards_seen, 'backward')} in the run and 0 updates", "updates", 0),),
        help="after `self.manual_backward(loss)` call `self.optimizers().step()` and `zero_grad()`, or leave the optimisation to the framework",
        facts=frozenset(Fact("no-update", kind) for kind in kinds),
        explains=frozenset(Fact("no-update", kind) for kind in kinds) | {Fact("unmoved", name) for name in fed},
        kind=step.step.kind,
        step=step.step.index,
        names=tuple(names),
    )
