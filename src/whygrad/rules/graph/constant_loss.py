"""WG311: a loss that no parameter has a part in."""

import re
from collections.abc import Iterator, Sequence
from math import isclose

from whygrad.diagnosis import Diagnosis, Edit, Evidence, Fact, Remedy
from whygrad.flow import Index, StepIndex
from whygrad.flow.starved import ends, fed, refusal
from whygrad.flow.trips import trips
from whygrad.idioms import speaks
from whygrad.ir import Op, Site, Value, family
from whygrad.loss_contracts import input_of, target_of
from whygrad.rules import rule
from whygrad.rules.graph.adds_up import adds_up
from whygrad.rules.graph.flat_loss import flat
from whygrad.rules.phrases import plural
from whygrad.rules.remedies import is_written_out, operand, remedy

_AVERAGING = ("mean", "sum", "neg")
_SCALING = ("mul", "div")
"""By a number, where nothing else is read."""
ROUNDING = 1e-9
"""Share by which two sums over the same numbers in double precision may differ."""


@rule("WG311", "constant-loss", "error")
def diagnose(index: Index) -> Iterator[Diagnosis]:
    """
    The loss that is differentiated was computed from no parameter at all.

    ## What it finds
    Steps whose loss has no parameter among the values that it was computed from, through cuts and trips out of the framework too, though the program has
    parameters to train. It speaks last: where a cut, a trip or frozen parameters say why, they do, and this is their symptom.

    And steps in which there is a way for the gradient, and every entry of every gradient is exactly 0, with a loss that is not, in a run that changed no parameter. And losses whose entries differ and always add up to the same number, such as a one-hot choice less its own
    probabilities, summed: the loss is the same over the run and with the labels permuted, and what comes back to every parameter is rounding.

    ## Why it matters
    Whatever the parameters are, the loss is the same. Usually the wrong variable went into it: the input or the embedding in place of the prediction, labels compared with themselves, an
    attribute that the forward never set anew.

    ## When it is fine
    An image, a latent or coordinates that are themselves optimised: they are what is trained. A step that only measures the gradient of the input.

    ## How sure
    Proved: a fact of the recorded graph. Gradients of 0 are measured on every recorded step, and the parameters compared at the end of the run.

    ## References
    PyTorch, "Autograd mechanics: how autograd encodes the history".
    """
    reported: set[int | None] = set()
    for step in index.steps:
        if step.step.kind not in reported and _constant(index, step) and not _explained(index, step):
            reported.add(step.step.kind)
            yield _about(index, step)
    for found in (*adds_up(index), *flat(index)):
        if found.kind not in reported:
            reported.add(found.kind)
            yield found


def _constant(index: Index, step: StepIndex) -> bool:
    """A parameter could have been there, and none is."""
    if not ends(index, step) or not any(p.trainable for p in step.step.parameters):
        return False
    origins = frozenset[str]().union(*(step.upstream(name) for name in ends(index, step)))
    known = frozenset(p.value for p in step.step.parameters)
    return (
        known.isdisjoint(origins)
        and not any(step.value(n).role == "parameter" for n in origins)
        and not _trains_leaves(index, step, origins)
    )


def _trains_leaves(index: Index, step: StepIndex, origins: frozenset[str]) -> bool:
    """The loss depends on a tensor that some optimizer holds though no model has it, or that is updated by hand."""
    leaves = [n for n in origins if n not in step.producer and step.value(n).differentiable]
    # timid: such a tensor may be just what the program trains
    return bool(leaves) and (any(o.orphans for o in index.record.optimizers) or not index.held or any(step.events("update")))


def _explained(index: Index, step: StepIndex) -> bool:
    """Values left the framework and the loss was made of what came of them, or the parameters got a gradient that the graph does not show."""
    if any(trip.whole and trip.step.step.kind == step.step.kind for trip in index.once(trips)):
        return True
    seen = any(p.gradient in ("finite", "non-finite") and p.name in index.once(fed) for p in step.step.parameters)
    return seen and refusal(index, step) is None


def _about(index: Index, step: StepIndex) -> Diagnosis:
    kind = str(step.step.kind)
    goals = ends(index, step)
    refused = refusal(index, step)
    names = tuple(p.name for p in step.step.parameters if p.trainable)
    sources = _sources(step, goals)
    facts = {Fact(what, name) for name in names for what in ("no-gradient", "unmoved")} | {
        Fact("insensitive", kind),
        Fact("no-update", kind),
    }
    if refused:
        facts.add(Fact("exception", refused[0]))
    shown = step.value(goals[0]).shown
    twins = list(_twins(step, goals)) if speaks(index, "jax") else []
    before = bool(twins) and _before(step, goals, twins[0])
    place, beside = _place(step, goals)
    output = f"`{beside}`, which is computed from the parameters" if beside else "the model's output"
    read = f"{plural(len(twins), 'array')} that it reads as {'a constant has' if len(twins) == 1 else 'constants have'} a parameter's shape and figures"
    return Diagnosis(
        "WG311",
        "constant-loss",
        "error",
        "proved",
        f"`{shown}` reads its parameters from outside of the function that is differentiated: in it they are constants"
        if twins
        else f"`{shown}` depends on no parameter: it was computed from {sources}",
        site=twins[0] if twins else place,
        label=f"`{beside}` is computed above and not read here" if beside and not twins else _label(twins, before=before),
        evidence=(
            Evidence(
                f"0 of {len(names)} trainable parameters are among the values that `{shown}` was computed from", "parameters_in_loss", 0
            ),
            *((Evidence(read, "twins", len(twins)),) if twins else ()),
        ),
        help=_advice(before=before) if twins else f"compute `{shown}` from {output}",
        facts=frozenset((Fact("constant-loss", kind),)),
        explains=frozenset(facts),
        kind=step.step.kind,
        step=step.step.index,
        names=(shown,),
        remedy=remedy("read the argument", Edit("own", twins[0]) if twins[0] and not before else None)
        if twins
        else _of_the_output(step, goals),
    )


def _label(twins: Sequence[Site | None], *, before: bool) -> str:
    """What is marked at the place of the first."""
    if before:
        return "is computed before the function that is differentiated, which reads no more than the result"
    return "reads parameters that are not the function's own" if twins else "nothing that is read here was computed from a parameter"


def _advice(*, before: bool) -> str:
    if before:
        return "compute this within the function that is differentiated, from the argument that it is differentiated by"
    return "read the argument that the function is differentiated by, not the variable of the same parameters around it"


def _before(step: StepIndex, goals: tuple[str, ...], place: Site | None) -> bool:
    """It stands in the function that asks for the gradient, and not in the one that makes the loss."""
    *inner, asked = _levels(step, goals)
    return place is not None and place.function == asked and asked not in inner


def _of_the_output(step: StepIndex, goals: tuple[str, ...]) -> Remedy | None:
    """What the model gave and nothing reads, where the loss has something else of the same shape for its prediction."""
    made = [step.producer[name][1] for name in goals if name in step.producer]
    # a loss of the program's own has no call with a prediction and a target in it
    op = next((op for op in (*step.loss_ops(), *made) if family(op.kind) == "loss" and target_of(op) and op.site), None)
    given = input_of(op) if op is not None and not is_written_out(op) else None
    if op is None or given is None or op.site is None:
        return None
    outputs = {name for value, name, _ in _unread(step, op.site) if value.shape == step.value(given).shape}
    if len(outputs) != 1:
        return None
    name = outputs.pop()
    return remedy(f"compare `{name}`", operand(op, step.value(given), name), changes=f"the loss is that of `{name}`")


_KEPT = re.compile(r"\s*([A-Za-z_]\w*)\s*=[^=]")


def _place(step: StepIndex, goals: tuple[str, ...]) -> tuple[Site | None, str]:
    """Where the loss is made, and the output of the model that is at hand there and that nothing reads.

    Of the calls that lead to the loss it is the innermost in whose function there is such an output: a function of the loss has only what it was given.
    """
    site = _site(step, goals)
    for way in site.with_callers if site is not None else ():
        kept = max(_unread(step, way), key=lambda found: found[2], default=None)
        if kept is not None:
            return way, kept[1]
    return site, ""


def _unread(step: StepIndex, site: Site) -> Iterator[tuple[Value, str, int]]:
    """What was made from parameters in front of a place and no op reads, with the name that a line of the same function keeps it under, and that line."""
    for name in step.depends_on_parameters:
        op = step.producer[name][1] if name in step.producer else None
        ways = op.site.with_callers if op is not None and op.site is not None and name not in step.consumers else ()
        for way in ways:
            kept = _KEPT.match(way.text)
            # the line that makes a layer is no call of it: `model = Sequential([...])` keeps no output
            layer = op is not None and op.made is not None and op.made.line_of_code == way.line_of_code
            if kept is not None and not layer and (way.file, way.function) == (site.file, site.function) and way.line < site.line:
                yield step.value(name), kept[1], way.line


def _twins(step: StepIndex, goals: tuple[str, ...]) -> Iterator[Site | None]:
    """Where the loss reads what is a parameter by shape and figures, and yet is none, on the level of the function that makes the loss, or of the one around it."""
    origins = frozenset[str]().union(*(step.upstream(name) for name in goals))
    levels = _levels(step, goals)
    for op in step.graph.ops:
        given = [name for name in op.inputs if name in origins and name not in step.producer]
        if any(_alike(step.value(name), step.value(p.value)) for name in given for p in step.step.parameters):
            places = op.site.with_callers if op.site else ()
            yield next((place for level in levels for place in places if place.function == level), op.site)


def _levels(step: StepIndex, goals: tuple[str, ...]) -> list[str]:
    """The functions that lead to the loss, innermost first, up to the one that asks for its gradient, which comes last."""
    asked = next((event.site.function for event in step.events("backward") if event.site), "")
    made = next((op.site for name in goals if name in step.producer and (op := step.producer[name][1]).site), None)
    inner = [place.function for place in made.with_callers] if made is not None else []
    return [*(inner[: inner.index(asked)] if asked in inner else inner), asked]


def _alike(one: Value, other: Value) -> bool:
    """The same shape, limits and norm, of numbers that are not all one."""
    mine, its = one.statistics, other.statistics
    if mine is None or its is None or one.shape != other.shape or not mine.std or mine.norm is None or its.norm is None:
        return False
    return (mine.minimum, mine.maximum) == (its.minimum, its.maximum) and isclose(mine.norm, its.norm, rel_tol=ROUNDING)


def _sources(step: StepIndex, goals: tuple[str, ...]) -> str:
    """What the loss starts from, by the user's names."""
    origins = frozenset[str]().union(*(step.upstream(name) for name in goals))
    starts = [
        name for name in step.values if name in origins and (name not in step.producer or step.value(name).role in ("input", "label"))
    ]
    called = [name for name in starts if step.value(name).called]
    known = called or [name for name in starts if step.value(name).role in ("input", "label")]
    named = dict.fromkeys(f"`{step.value(name).shown}`" for name in known)
    shown = list(named)[:3]
    return " and ".join([", ".join(shown[:-1]), shown[-1]] if len(shown) > 1 else shown) or "constants alone"


def _site(step: StepIndex, goals: tuple[str, ...]) -> Site | None:
    """The op that makes the loss; where none was seen, the backward."""
    made = [step.producer[name][1] for name in goals if name in step.producer]
    losses = [op.site for op in step.loss_ops() if op.site]
    return (
        next(iter(losses), None)
        or next((site for op in made if (site := _written(step, op))), None)
        or next((e.site for e in step.events("backward") if e.site), None)
    )


def _written(step: StepIndex, op: Op) -> Site | None:
    """Where the formula stands whose mean or sum this is, in the same function: what was averaged is what went wrong."""
    site = op.site
    while (op.kind in _AVERAGING or (op.kind in _SCALING and len(op.inputs) == 1)) and op.inputs and op.inputs[0] in step.producer:
        op = step.producer[op.inputs[0]][1]
        if op.site is None or site is None or (op.site.file, op.site.function) != (site.file, site.function):
            break
        site = op.site
    return site
