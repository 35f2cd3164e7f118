"""WG405: backward, but no update."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from whygrad.diagnosis import Diagnosis, Edit, Evidence, Fact, Remedy
from whygrad.flow import Index
from whygrad.idioms import idiom, speaks, speaks_torch
from whygrad.ir import Event, Optimizer, Site
from whygrad.rules import rule
from whygrad.rules.phrases import listed, places, plural
from whygrad.rules.remedies import behind, remedy
from whygrad.rules.update.emptied import emptied
from whygrad.rules.update.exchanged import exchanged
from whygrad.rules.update.never_updated import never_updated
from whygrad.rules.update.raw_gradients import instead
from whygrad.rules.update.unheld import moved_too


@rule("WG405", "missing-step", "error")
def diagnose(index: Index) -> Iterator[Diagnosis]:
    """
    Gradients are calculated and an optimizer exists, but it is never asked to step.

    ## What it finds
    Programs whose backwards ran, whose optimizer never stepped and whose parameters never changed: a forgotten `optimizer.step()`, one
    that a condition never lets run, or `step` without its parentheses. With several optimizers, one that is left out is found as well.
    Where values are never changed in place, as in JAX: an update that is never applied, new parameters that the step does not return, or that its caller drops;
    gradients that are applied as if they were the update; and an update that is kept in the place of the parameters, to which it should be added.
    An iterator of batches that was made before the loop over the epochs: the first epoch reads it to its end, and the later ones make no step.

    ## Why it matters
    Nothing moves. The loss only changes with the batches.

    ## When it is fine
    A program without an optimizer that asks for a gradient, as for a saliency map, updates nothing on purpose: where it asks for that of its
    parameters fifty times and more, that is noted, and is no warning. Parameters changed by hand
    have changed. A gradient scaler that skips its steps, and a program that an exception ended after its first backward, have another
    cause. An iterator that ends the loop around it on purpose, by a `break` or a `return`, is left alone.

    ## How sure
    Proved by the events of the whole run, and by a comparison of the parameters' values at its end.

    ## References
    PyTorch, `torch.optim`, "Taking an optimization step"; Keras, `Optimizer.apply_gradients`; optax, `apply_updates`; `whygrad explain WG409` for scalers that skip.
    """
    # timid: a scaler that unscales and then skips is WG409's
    if any(True for step in index.steps for _ in step.events("unscale")):
        return
    yield from instead(index)
    yield from exchanged(index)
    yield from never_updated(index)
    yield from emptied(index)
    if any(event.attributes.get("what") == "traced" for step in index.steps for event in step.events("dropped")):
        return  # WG318's: what the update makes is kept, and a compiled function never reads it
    idle = [optimizer for optimizer in index.record.optimizers if left_out(index, optimizer)]
    if idle and waited_long_enough(index, idle):
        yield diagnosis(index, idle)


LOST = {
    "update": ("is never applied to the parameters: no parameter changes", "computes an update that nothing applies", "apply the update"),
    "applied": (
        "is made, and the gradient is taken of the same parameters in every step",
        "makes new parameters, of which no gradient is ever taken",
        "keep the result",
    ),
    "module": (
        "is made on a copy and not kept: no parameter changes",
        "changes modules within a function that hands no changes of modules out",
        "trace with nnx",
    ),
    "returned": (
        "is handed out, and the gradient is taken of the same parameters in every step",
        "hands out new parameters, of which no gradient is ever taken",
        "keep what is returned",
    ),
}
"""What became of an update, what the line that made it does, and the idiom that helps."""


def left_out(index: Index, optimizer: Optimizer) -> bool:
    """It never stepped, though its parameters have gradients, and nothing else moved them."""
    held = {name for group in optimizer.groups for name in group.parameters}
    stepped = {name for other in index.record.optimizers if other.steps for group in other.groups for name in group.parameters}
    ending = index.record.endings
    moved = any(name in ending and ending[name].changed for name in held) or any(
        not held.isdisjoint(e.targets) for s in index.steps for e in s.events("update")
    )
    called = any(optimizer.name in event.targets for step in index.steps for event in step.events("optimizer_step"))
    return not optimizer.steps and not optimizer.skipped and not called and not moved and bool((held & index.with_gradient) - stepped)


def waited_long_enough(index: Index, idle: list[Optimizer]) -> bool:
    """Backwards enough to say that no step will come."""
    outcome = index.record.outcome
    backwards = max(outcome.backwards_seen, sum(1 for step in index.steps for _ in step.events("backward")))
    alone = len(idle) == len(index.record.optimizers)
    # timid: after one backward, an exception or a stop may have come before the step
    return backwards > 1 or (backwards == 1 and alone and outcome.exception is None and not outcome.stopped)


def diagnosis(index: Index, idle: list[Optimizer]) -> Diagnosis:
    """What is said, at the backward after which the step is missing."""
    names = [optimizer.name for optimizer in idle]
    backward, kind = last_backward(index, idle)
    held = [name for optimizer in idle for group in optimizer.groups for name in group.parameters if name in index.with_gradient]
    seen = max(index.record.outcome.backwards_seen, 1)
    lost = next(
        (
            e
            for s in index.steps
            for e in s.events("dropped")
            if e.attributes.get("what") not in ("restored", "traced", "begun again") and not set(held).isdisjoint(e.targets)
        ),
        None,
    )
    if lost is not None and lost.site is not None:
        return _lost(index, lost, names, held, kind)
    place = (backward.site if backward else None) or idle[0].site
    absent = _absent(index, names, idle[0].step_site, backward)
    return Diagnosis(
        rule="WG405",
        name="missing-step",
        severity="error",
        confidence="proved",
        message=f"{listed(names)} never {'steps' if len(names) == 1 else 'step'}: gradients are calculated and no parameter is updated",
        site=idle[0].step_site or place,
        label=absent.label,
        related=places(
            (place if idle[0].step_site else None, "the gradients are calculated here"), (idle[0].site, f"`{names[0]}` is made here")
        ),
        evidence=(
            Evidence(f"{plural(seen, 'backward')} in the run and 0 updates by {listed(names)}", "updates", 0),
            Evidence(
                f"{listed(held)} got gradients and hold the same values at the end as at the first recorded step", "parameters", len(held)
            ),
        ),
        help=absent.help,
        facts=_facts(index),
        explains=_explained(index, held),
        kind=kind,
        names=tuple(names),
        test=moved_too(held) if held else None,
        remedy=absent.remedy,
    )


class Absent(NamedTuple):
    """Why no step comes."""

    label: str
    help: str
    remedy: Remedy | None


def _absent(index: Index, names: list[str], written: Site | None, backward: Event | None) -> Absent:
    """The step stands nowhere, or, where it is written, it is not reached, or named and not called."""
    if written is None:
        fix = _remedy(index, names, backward) if backward is not None else None
        return Absent("no update follows", idiom(index, "add the step", optimizer=names[0]), fix)
    uncalled = _NAMED.match(written.text)
    if uncalled is None:
        condition = f"let the condition around {idiom(index, 'the step', optimizer=names[0])} come true in this run"
        return Absent("never reached in this run", condition, _reached(written))
    calling = remedy("call the step", Edit("wrap", written, "{x}()"))
    return Absent("names the method and does not call it", f"write `{uncalled[0].strip()}()`, with the parentheses", calling)


def _reached(written: Site) -> Remedy | None:
    """A condition on the turns of a loop holds at the last one as well; another one goes."""
    summary = "reach the step at the end of each epoch as well, or without the condition around it"
    changes = "updates are made that the condition kept back"
    return remedy(summary, Edit("reach", written), otherwise=(Edit("always", written),), changes=changes)


_NAMED = re.compile(r"\s*[\w.]+\.step(?=\s*(#.*)?$)")
"""The method without the parentheses of a call."""


def _facts(index: Index) -> frozenset[Fact]:
    return frozenset({Fact("no-update", str(k)) for k, steps in index.kinds.items() if not any(step.step.updated for step in steps)})


def _explained(index: Index, held: list[str]) -> frozenset[Fact]:
    """Nothing moves, and so no loss that none of its steps' updates could lower does."""
    return frozenset((*(Fact("unmoved", name) for name in held), *(Fact("stands", fact.subject) for fact in _facts(index))))


def _lost(index: Index, event: Event, names: list[str], held: list[str], kind: int | None) -> Diagnosis:
    """What is said where an update was computed, and no parameter became what it made."""
    became, label, helps = LOST[str(event.attributes.get("what", "update"))]
    made = next((o.site for o in index.record.optimizers if o.name == names[0]), None)
    backward = last_backward(index, [o for o in index.record.optimizers if o.name in names])[0]
    return Diagnosis(
        rule="WG405",
        name="missing-step",
        severity="error",
        confidence="proved",
        message=f"the update of {listed(names)} {became}",
        site=event.site,
        label=label,
        related=places((backward.site if backward else None, "the gradients are calculated here"), (made, f"`{names[0]}` is made here")),
        evidence=(
            Evidence(
                f"{listed(held)} got gradients and hold the same values at the end as at the first recorded step", "parameters", len(held)
            ),
            Evidence(
                f"{plural(max(index.record.outcome.backwards_seen, 1), 'backward')} in the run, after which none of them had moved",
                "updates",
                0,
            ),
        ),
        help=idiom(index, helps, optimizer=names[0]),
        facts=_facts(index),
        explains=_explained(index, held),
        kind=kind,
        names=tuple(names),
        test=moved_too(held) if held else None,
        remedy=_applied(index, event, backward),
    )


def last_backward(index: Index, idle: list[Optimizer]) -> tuple[Event | None, int | None]:
    """The last backward of the first step that gave these optimizers' parameters a gradient, with the step's kind."""
    held = {name for optimizer in idle for group in optimizer.groups for name in group.parameters}
    for step in index.steps:
        backwards = list(step.events("backward"))
        if backwards and any(p.name in held and p.gradient != "none" for p in step.step.parameters):
            return backwards[-1], step.step.kind
    return None, None


def _remedy(index: Index, names: list[str], backward: Event) -> Remedy | None:
    """The step behind the backward; of several optimizers it can't be told which backward is whose."""
    if len(names) != 1 or not names[0].replace(".", "").isidentifier():
        return None
    if speaks_torch(index):
        return remedy(f"step `{names[0]}` after the backward", behind(backward.site, f"{names[0]}.step()"))
    asked = _BY_TAPE.match(backward.site.text) if backward.site is not None else None
    if asked is None or not speaks(index, "tensorflow"):
        return None
    own = asked[2].startswith("self.") and backward.site is not None and backward.site.function.endswith(".train_step")
    step = f"{'self.optimizer' if own else names[0]}.apply_gradients(zip({asked[1]}, {asked[2]}))"
    return remedy(f"step `{names[0]}` with the gradients", behind(backward.site, step))


_BY_TAPE = re.compile(r"\s*(\w+)\s*=\s*[\w.]+\.gradient\([^,()]+,\s*([\w.]+)\)\s*$")
"""Gradients that a tape was asked for, and what for."""
_COMPUTED = re.compile(r"\s*(\w+)\s*,\s*\w+\s*=\s*[\w.]+\.update\(([^()]*)\)\s*$")
"""An update of optax' and what it was computed from."""
_DERIVED = re.compile(r"grad\([^()]*\)\((\w+)\b")
"""What a derivative was taken by: the first argument of the function."""


def _applied(index: Index, event: Event, backward: Event | None) -> Remedy | None:
    """The update of optax' applied to what the derivative was taken by; None where one of the names is not written there."""
    if event.attributes.get("what") == "module":
        traced = Edit("redecorate", event.site, "flax.nnx.jit", calls=("jit",)) if event.site else None
        return remedy("trace the step with `nnx.jit`", traced)
    if event.attributes.get("what") in ("applied", "returned") and event.site is not None:
        return remedy("keep what comes out", Edit("keep", event.site))
    computed = _COMPUTED.match(event.site.text) if event.site is not None else None
    if computed is None or event.attributes.get("what", "update") != "update" or not speaks(index, "jax"):
        return None
    given = [part.strip() for part in computed[2].split(",")]
    derived = _DERIVED.search(backward.site.text) if backward is not None and backward.site is not None else None
    parameters = given[2] if len(given) > 2 else derived[1] if derived else ""  # noqa: PLR2004 - gradients, state and parameters
    if not parameters.isidentifier():
        return None
    return remedy("apply the update", behind(event.site, f"{parameters} = optax.apply_updates({parameters}, {computed[1]})"))
