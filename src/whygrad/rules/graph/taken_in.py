"""The part of WG318 that tells of parameters which a compiled function took in when it was traced."""

from collections.abc import Iterator

from whygrad.diagnosis import Diagnosis, Evidence, Fact
from whygrad.flow import Index, StepIndex
from whygrad.ir import Event
from whygrad.rules.phrases import listed, places, plural


def taken_in(index: Index) -> Iterator[Diagnosis]:
    """One diagnosis, where every update that was made reached no parameter that a gradient is taken by."""
    found = [(step, event) for step in index.steps for event in step.events("dropped") if event.attributes.get("what") == "traced"]
    still = [name for name, ending in index.record.endings.items() if not ending.changed]
    if found and index.record.outcome.backwards_seen > 1 and set(found[0][1].targets) <= set(still):
        yield _diagnosis(index, *found[0])


def outdated(index: Index) -> Iterator[Diagnosis]:
    """One for each compiled function that was called with newer parameters about, and reads those of the time when it was traced."""
    for step in index.steps:
        for event in step.events("outdated"):
            yield _outdated(step, event)


def _outdated(step: StepIndex, event: Event) -> Diagnosis:
    told = event.attributes
    function, variable, calls = told.get("function"), told.get("variable"), told.get("calls")
    read = f"`{variable}`" if variable else "the parameters"
    given = "; of what it is handed, arrays of the same shapes are never read" if told.get("given") else ""
    return Diagnosis(
        rule="WG318",
        name="stale-weight",
        severity="warning",
        confidence="proved",
        message=f"the compiled `{function}` took {read} in when it was traced: what it returns is that of the parameters of that time, however far training has gone",
        site=event.site,
        label="reads what was taken in",
        evidence=(
            Evidence(f"in its traced program {listed(event.targets)} {'is a constant' if len(event.targets) == 1 else 'are constants'}{given}", "constants", len(event.targets)),
            Evidence(f"{calls} calls came after updates of these parameters", "calls", calls if isinstance(calls, int) else None),
        ),
        help=f"read the parameters that `{function}` is given, in place of the variable around it"
        if told.get("given")
        else f"give the parameters to `{function}` as an argument: `jax.jit` keeps what a variable around it held when it was traced",
        kind=step.step.kind,
        step=step.step.index,
        names=(str(function),),
    )  # fmt: skip


def _diagnosis(index: Index, step: StepIndex, event: Event) -> Diagnosis:
    asked = next((e.site for e in step.events("backward") if e.site), None)
    names, seen = event.targets, index.record.outcome.backwards_seen
    return Diagnosis(
        rule="WG318",
        name="stale-weight",
        severity="error",
        confidence="proved",
        message=f"the compiled function took {listed(names)} in when it was traced: every gradient is that of the first parameters",
        site=asked or event.site,
        label="what is differentiated here is no argument of the compiled function",
        related=places((event.site, "new parameters are made here, which it never reads")),
        evidence=(
            Evidence(
                f"in the traced program {listed(names)} {'is a constant' if len(names) == 1 else 'are constants'}, and no argument",
                "constants",
                len(names),
            ),
            Evidence(f"{plural(seen, 'backward')} in the run, all of them at the same values of {listed(names)}", "backwards", seen),
        ),
        help="give the parameters to the jitted function as an argument: `jax.jit` runs it once, with what `self` or a variable around it holds then (`static_argnums` makes constants of all that an object holds)",
        facts=frozenset(Fact("unused", name) for name in names) | {Fact("no-update", str(step.step.kind))},
        explains=frozenset(Fact("unmoved", name) for name in names)
        | {Fact("stands", str(step.step.kind))}
        | {Fact("orphans", optimizer.name) for optimizer in index.record.optimizers if optimizer.orphans},
        kind=step.step.kind,
        step=step.step.index,
        names=names,
    )
