"""WG308: a result that nothing uses."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from whygrad.diagnosis import Diagnosis, Edit, Evidence, Fact, Remedy
from whygrad.flow import Index, StepIndex
from whygrad.flow.starved import meant
from whygrad.idioms import idiom, spelled
from whygrad.ir import Op, Parameter, Site, family
from whygrad.rules import rule
from whygrad.rules.graph.dropped_losses import forgotten
from whygrad.rules.graph.idle_states import never_handed_on
from whygrad.rules.graph.never_asked import never_differentiated
from whygrad.rules.graph.stopped_without import returned_nothing
from whygrad.rules.phrases import distinct, listed, plural
from whygrad.rules.remedies import remedy
from whygrad.rules.statements import stands_alone

WITHOUT_EFFECT = ("layout", "arithmetic", "activation", "select", "cast", "detach", "step", "reduction")
"""Families of ops that do nothing but return a result, so that a call whose result is dropped is a call without effect."""


@dataclass(frozen=True, slots=True)
class Dropped:
    """A result of parameters that nothing uses."""

    step: StepIndex
    op: Op
    site: Site | None
    parameters: tuple[Parameter, ...]


@rule("WG308", "discarded-result", "warning")
def diagnose(index: Index) -> Iterator[Diagnosis]:
    """
    An op ran and nothing uses its result.

    ## What it finds
    Several forms. Layers whose parameters are to be trained ran in every recorded step, and no value that they made is read by anything: a loop variable is rebound where the list was meant,
    a branch's result is forgotten. And calls that stand alone on their line, without a name for their result, though they change nothing: `x.clamp(0, 1)` where `clamp_` was
    meant, `loss / 4` without `loss =`. And losses that are computed, logged perhaps, and never differentiated, though layers that the optimizer holds are read for them alone;
    or a run that has no backward at all, though its optimizer steps.

    Also loops that make a new state at each turn and hand on the old one: the parameters that weigh the state meet zeros alone.
    And a function that computes the model's output and returns nothing, so that the program stops at a None; in JAX where no `return` of it hands anything back.

    ## Why it matters
    The model trains without those layers, and the parameters never get a gradient; nothing is raised. A call without effect leaves the value as it was.

    ## When it is fine
    Layers that get a gradient in another kind of step; results other than losses that are printed or logged, and calls under `no_grad`; a library's model that computes more than one task uses
    (a note).

    ## How sure
    Proved: the recorded graph shows no reader, and the parameters got no gradient in the whole run.

    ## References
    PyTorch, "In-place semantics": methods without a trailing underscore return a new tensor. Tensors of TensorFlow and arrays of JAX are never changed in place:
    `x.at[…].set(…)` returns a new array.
    """
    calls = list(distinct(_without_effect(index)))
    places = {found.site.line_of_code for found in calls if found.site}
    yield from distinct(_about_layers(_narrowed(found, places)) for found in _dropped(index))
    dropped = {found.op.site.line_of_code for found in _dropped(index) if found.op.site}
    yield from (call for call in calls if call.site is None or call.site.line_of_code not in dropped)
    yield from returned_nothing(index)
    yield from never_handed_on(index)
    yield from distinct(forgotten(index, index.once(_lost)))
    yield from never_differentiated(index)


def _dropped(index: Index) -> Iterator[Dropped]:
    """For each place, the layers whose results are dropped there in all recorded steps that run them."""
    lost = _lost(index)
    for step in index.steps:
        if step.step.differentiated:
            by_place: dict[object, list[tuple[Op, Site | None, Parameter]]] = {}
            for parameter in (p for p in step.step.parameters if p.name in lost):
                for op in _ends(step, parameter):
                    site = _place(step, op)
                    by_place.setdefault((site.file, site.line) if site else None, []).append((op, site, parameter))
            for members in by_place.values():
                yield Dropped(step, members[0][0], members[0][1], tuple(dict.fromkeys(p for _, _, p in members)))


def _narrowed(found: Dropped, calls: set[tuple[str, int]]) -> Dropped:
    """Where the last op is a call that stands alone, that is the line that drops the result."""
    alone = found.op.site is not None and found.op.site.line_of_code in calls
    return replace(found, site=found.op.site) if alone else found


def _lost(index: Index) -> frozenset[str]:
    """Parameters that a forward read, that no loss was computed from, and that had no gradient in the whole run."""
    shaping = {p.name for step in index.steps for p in step.step.parameters if p.value in step.shapes_loss or p.gradient != "none"}
    wanted = index.once(meant) & index.reached
    read = {p.name for step in index.steps for p in step.step.parameters if p.trainable and p.reached and p.name in wanted}
    endings = index.record.endings
    # timid: without the end of the run, a head that other batches use looks just the same
    return frozenset(name for name in read - shaping if name in endings and not endings[name].gradient_seen and not endings[name].changed)


def _ends(step: StepIndex, parameter: Parameter) -> tuple[Op, ...]:
    """The last ops on the parameter's way, if nothing but them and tracked ops before them came of it."""
    below = step.downstream((parameter.value,))
    ops = [op for op in step.graph.ops if not below.isdisjoint(op.inputs)]
    # timid: what leaves the framework is logged, or comes back another way
    if not ops or not all(op.tracking and op.kind != "leave" and op.outputs for op in ops):
        return ()
    return tuple(op for op in ops if not any(name in step.consumers for name in op.outputs))


def _place(step: StepIndex, op: Op) -> Site | None:
    """The line that drops the result: of the call of the outermost function nothing of which is used."""
    site, scopes = op.site, step.step.scopes
    at, left = op.scope, len(scopes)
    while at is not None and 0 <= at < len(scopes) and left and not _used(step, at):
        site = scopes[at].caller or site
        at, left = scopes[at].parent, left - 1
    return _called_from(site, op)


def _used(step: StepIndex, scope: int) -> bool:
    """Whether the loss depends on anything that ran in a call of a function of the user's, or in what it called."""
    inside = set(_twins(step, scope))
    for number, other in enumerate(step.step.scopes):
        if other.parent in inside and number not in inside and number > other.parent:
            inside.add(number)
    return any(op.scope in inside and not step.shapes_loss.isdisjoint(op.outputs) for op in step.graph.ops)


def _twins(step: StepIndex, scope: int) -> Iterator[int]:
    """The scopes of one call: of a deep op only the innermost functions are told, and so the same call may have a parent or none."""
    mine = step.step.scopes[scope]
    for number, other in enumerate(step.step.scopes):
        if (other.function, other.site, other.caller, other.arguments) == (mine.function, mine.site, mine.caller, mine.arguments):
            yield number


def _called_from(site: Site | None, op: Op) -> Site | None:
    """Where the scopes are unknown, a line that returns its result hands it to the line that called."""
    if site is None or site != op.site or not site.text.strip().startswith("return") or not site.callers:
        return site
    return site.caller()


def _about_layers(found: Dropped) -> Diagnosis:
    names = tuple(dict.fromkeys(p.name for p in found.parameters))
    modules = list(dict.fromkeys(name.rsplit(".", 1)[0] for name in names))
    library = all(p.library for p in found.parameters)
    value = found.step.value(found.op.output)
    return Diagnosis(
        "WG308",
        "discarded-result",
        # timid: a library's model computes more than one task uses
        "note" if library else "warning",
        "proved",
        f"the result of {listed(modules)} is never used: {plural(len(names), 'parameter')} {'gets' if len(names) == 1 else 'get'} no gradient",
        site=found.site,
        label="what comes of this is dropped",
        evidence=(
            Evidence(f"`{found.op.kind}` makes {value.type} here, and no later op reads it", "readers", 0),
            Evidence(
                f"{listed(names)} {'was' if len(names) == 1 else 'were'} read by the forward, and {'has' if len(names) == 1 else 'have'} no gradient and the same values at the end of the run"
            ),
        ),
        help="use the result where the old value is used: put it back into the list, or return it; or leave the layers out",
        facts=frozenset(Fact("no-gradient", name) for name in names),
        explains=frozenset(Fact(what, name) for name in names for what in ("unmoved", "unused")),
        kind=found.step.step.kind,
        step=found.step.step.index,
        names=names,
        remedy=_kept(found.op, _target(found.step, found.op))
        if found.site == found.op.site and stands_alone(found.site)
        else _put_back(found.site),
    )


_REBOUND = re.compile(r"\s*([A-Za-z_]\w*)\s*[-+*/]?=[^=](?=.*\b\1\b)")


def _put_back(site: Site | None) -> Remedy | None:
    """A variable that is made of itself is a loop's as a rule: the result goes into what the loop goes through."""
    if site is None or not _REBOUND.match(site.text):
        return None
    return remedy(
        "put the result back where the loop took it from", Edit("element", site), changes="what reads the list gets the new values"
    )


def _without_effect(index: Index) -> Iterator[Diagnosis]:
    """Calls that stand alone on their line and have no effect."""
    for step in index.steps:
        used = step.consumers.keys() | set(step.losses)
        unread = [op for op in step.graph.ops if op.outputs and used.isdisjoint(op.outputs) and _pure(op) and _direct(op)]
        known = step.downstream(p.value for p in step.step.parameters) if unread else frozenset()
        for op in unread:
            if not known.isdisjoint(op.inputs) and stands_alone(op.site):
                yield _about_call(index, step, op)


def _pure(op: Op) -> bool:
    return family(op.kind) in WITHOUT_EFFECT and not op.attributes.get("inplace") and not op.failed and op.kind != "write"


FRAMEWORKS = ("torch", "tensorflow", "keras", "jax", "flax")
"""Packages whose frames between the user's line and the op are the call itself."""


def _direct(op: Op) -> bool:
    """The line calls this op, and not something of a library's or a module that comes to run it."""
    name = op.native.rsplit(".", 1)[-1].strip("_")
    return (
        op.site is not None
        and (f"{name}(" in op.site.text or f".{name}[" in op.site.text)  # x.at[…].set(…)
        and all(any(f"/{package}/" in frame.file for package in FRAMEWORKS) for frame in op.site.library)
    )


def _about_call(index: Index, step: StepIndex, op: Op) -> Diagnosis:
    name, target = spelled(op), _target(step, op)
    return Diagnosis(
        "WG308",
        "discarded-result",
        "warning",
        "proved",
        f"`{name}` has no effect here: its result is dropped" + (f", and `{target}` stays as it was" if target else ""),
        site=op.site,
        label="returns a new tensor, which nothing takes",
        evidence=(Evidence(f"`{name}` makes {step.value(op.output).type}, and no op of the step reads it", "readers", 0),),
        help=(f"write `{target} = …`" if target else "give the result a name and use it") + idiom(index, "use result"),
        kind=step.step.kind,
        step=step.step.index,
        names=(name, target),
        remedy=_kept(op, target),
    )


def _target(step: StepIndex, op: Op) -> str:
    """The name of what the call was given; "" where it has none."""
    given = step.value(op.inputs[0]) if op.inputs else None
    return given.called if given is not None and given.called.isidentifier() else ""


def _kept(op: Op, target: str) -> Remedy | None:
    """The result takes the place of what the call was given."""
    if op.site is None or not target:
        return None
    kept = Edit("insert", op.site, f"{target} = {op.site.text.strip()}", after=False)
    return remedy(f"keep the result as `{target}`", kept, Edit("drop", op.site), changes=f"`{target}` is another value from here on")
