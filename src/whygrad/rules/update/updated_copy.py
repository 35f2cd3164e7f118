"""WG415: the update goes to a copy."""

from collections.abc import Iterator

from whygrad.diagnosis import Diagnosis, Edit, Evidence, Fact, Remedy
from whygrad.flow import Index, StepIndex
from whygrad.idioms import idiom, speaks, speaks_torch
from whygrad.ir import Op, Parameter
from whygrad.rules import rule
from whygrad.rules.phrases import distinct, listed, places, plural
from whygrad.rules.remedies import remedy
from whygrad.rules.update.begun_again import begun_again
from whygrad.rules.update.edited_state import edited_states
from whygrad.rules.update.rebound import rebound
from whygrad.rules.update.scattered import scattered

RESULTS = ("sub", "add")
IN_A_ROW = 3
"""Times that the same weights must be put back: going back to the best once or twice is a way to train."""
LOST = 0.5
"""Share of all updates of the run that must be lost: a run that improved at first and is kept at its best later has used more."""


@rule("WG415", "updated-copy", "error")
def diagnose(index: Index) -> Iterator[Diagnosis]:
    """
    An update is computed by hand and never reaches the parameter: it goes to a copy, or the name is bound to a new tensor.

    ## What it finds
    Programs without an optimizer that ran a backward, computed `parameter - rate * gradient` and hold, at the end, the parameters that they began with: the result was given to a
    loop variable (`p = p - rate * p.grad`), or to the dictionary that `state_dict()` returned, or to the arrays that Keras' `get_weights()` returned.

    Programs that stop because of it: under `no_grad`, `w = w - rate * w.grad` makes a tensor without a graph, so that the next backward finds nothing to differentiate; with tracking on it makes a
    result, whose `.grad` is None.

    Rows that are added to an array of JAX's, `table.at[rows].add(-rate * gradient)`, in a line that gives the new array to nobody.

    Gradients that the program writes itself, `p.grad = …`, to copies of the parameters, while an optimizer steps on the parameters.

    New weights that are put into the dictionary which `state_dict()` returned, twice and more, and never loaded, while an optimizer trains something else.

    In JAX, a function that trains the parameters it is given, or takes from its object, in a loop, and keeps what comes of it from everybody: each call begins with the same ones.

    And weights that the program puts back while Keras' `fit` runs, the same ones three times in a row and more, so that at least half of all updates of the run are lost.

    ## Why it matters
    Assigning to a name changes which tensor the name stands for, not the tensor. The next forward reads the old one.

    ## When it is fine
    Weights that are rebound where the forward reads them, fast weights of meta-learning, and updates in place under `no_grad`: there the parameters change, or the next forward reads what was
    computed. Weights that are put back between two calls of `fit`, as for each fold, or settings that are tried out one after the other; the best ones put back at the end, or now and then.

    ## How sure
    Proved: the result is read by nothing, and the parameters are the same to the last bit at the end of the run.

    ## References
    PyTorch, "Learning PyTorch with examples": the update under `torch.no_grad()`, in place; TensorFlow, `tf.Variable.assign_sub`.
    """
    yield from _restored(index)
    yield from _written_elsewhere(index)
    yield from scattered(index)
    yield from edited_states(index)
    yield from rebound(index)
    yield from begun_again(index)
    yield from _thrown_away_by_hand(index)


def _thrown_away_by_hand(index: Index) -> Iterator[Diagnosis]:
    """Programs without an optimizer whose updates nobody reads."""
    if index.record.optimizers or index.record.outcome.backwards_seen < 2:  # noqa: PLR2004 - after one backward there may be no more to come
        return
    found = [(step, op, p) for step in index.steps for op, p in _thrown_away(step) if _unchanged(index, p)]
    sites: dict[object, list[tuple[StepIndex, Op, Parameter]]] = {}
    for step, op, parameter in found:
        sites.setdefault((op.site.file, op.site.line) if op.site else None, []).append((step, op, parameter))
    yield from distinct(_about(index, members) for members in sites.values())


def _written_elsewhere(index: Index) -> Iterator[Diagnosis]:
    """Gradients that the program writes to tensors which no optimizer holds, while an optimizer steps on parameters that never had one."""
    stepped = [(step, event) for step in index.steps for event in step.events("optimizer_step") if event.attributes.get("idle")]
    still = all(not ending.changed and not ending.gradient_seen for ending in index.record.endings.values())
    written = [(step, event) for step in index.steps for event in step.events("assign") if not event.targets]
    known = any(event.targets for step in index.steps for event in step.events("assign")) or any(
        any(step.events("backward")) for step in index.steps
    )
    if not written or not stepped or known or not still:
        return
    (step, event), (_, update) = written[0], stepped[0]
    optimizer = next((one for one in index.record.optimizers if one.name in update.targets), None)
    yield Diagnosis(
        rule="WG415",
        name="updated-copy",
        severity="error",
        confidence="proved",
        message=f"gradients are written to tensors that no optimizer holds: {listed(update.targets)} steps on parameters that have none",
        site=event.site,
        label="writes the gradient of a copy",
        related=places((update.site, "finds no gradient here"), (optimizer.site if optimizer else None, "holds the parameters themselves")),
        evidence=(
            Evidence(
                f"{plural(max((one.steps for one in index.record.optimizers), default=0), 'update')} asked for: no parameter had a gradient at any of them, and none has moved at the end",
                "gradients",
                0,
            ),
        ),
        help="write the gradients to the parameters that the optimizer holds: `for name, p in model.named_parameters(): p.grad = …`",
        facts=frozenset({Fact("no-update", str(step.step.kind))}),
        kind=step.step.kind,
        step=step.step.index,
        names=tuple(update.targets[:1]),
    )


def _restored(index: Index) -> Iterator[Diagnosis]:
    """Weights that were put back over and over while training went on."""
    seen = index.record.outcome.steps_seen
    for step in index.steps:
        for event in step.events("dropped"):
            times, updates = event.attributes.get("times"), event.attributes.get("updates")
            restored = event.attributes.get("what") == "restored"
            if not restored or not isinstance(times, int) or not isinstance(updates, int) or times < IN_A_ROW or updates < LOST * seen:
                continue
            yield Diagnosis(
                "WG415",
                "updated-copy",
                "error",
                "measured",
                f"the same weights are put back again and again: {updates} of {plural(seen, 'update')} are lost",
                site=event.site,
                label="puts earlier weights back while training goes on",
                evidence=(
                    Evidence(f"the same weights, to the last bit, were put back {times} times in a row", "times", times),
                    Evidence(f"{updates} of the run's {plural(seen, 'update')} lie between one time and the next", "updates", updates),
                ),
                help="put the best weights back once, when training ends; where this is meant for bad epochs alone, look at the comparison that decides, and at what it begins with",
                explains=frozenset({Fact("stands", str(step.step.kind))}),
                kind=step.step.kind,
                step=step.step.index,
                names=event.targets[:1],
            )


def _unchanged(index: Index, parameter: Parameter) -> bool:
    ending = index.record.endings.get(parameter.name)
    return ending is not None and not ending.changed


def _thrown_away(step: StepIndex) -> Iterator[tuple[Op, Parameter]]:
    """Results of a parameter and something of its type, computed after the backward, that nothing reads."""
    known = {p.value: p for p in step.step.parameters if p.trainable and p.gradient in ("finite", "non-finite")}
    backward = next((event for event in step.events("backward")), None)
    if backward is None or any(True for _ in step.events("update", "optimizer_step")):
        return
    for op in step.graph.ops[backward.at :]:
        origin = next((step.origin(name, ("layout", "cast", "detach")) for name in op.inputs[:1]), "")
        if op.kind == "leave" and op.attributes.get("edited") and origin in known:
            yield op, known[origin]
        elif op.kind in RESULTS and origin in known and op.outputs and not op.attributes.get("inplace"):
            same = step.value(op.output).shape == step.value(origin).shape
            if same and not any(name in step.consumers for name in op.outputs) and not _taken_up(step, backward.at, origin):
                yield op, known[origin]


def _taken_up(step: StepIndex, backward: int, origin: str) -> bool:
    """A later forward reads a new parameter of the same shape: the result under the name, made a leaf of its own (`w = (w - rate * w.grad).detach().requires_grad_()`)."""
    before = {name for op in step.graph.ops[:backward] for name in op.inputs}
    later = {name for op in step.graph.ops[backward:] for name in op.inputs} - before
    shape = step.value(origin).shape
    return any(p.trainable and p.value in later and step.value(p.value).shape == shape for p in step.step.parameters)


def _about(index: Index, members: list[tuple[StepIndex, Op, Parameter]]) -> Diagnosis:
    step, op, _ = members[0]
    names = list(dict.fromkeys(parameter.name for _, _, parameter in members))
    backward = next((event.site for event in step.events("backward") if event.site), None)
    kind = str(step.step.kind)
    return Diagnosis(
        "WG415",
        "updated-copy",
        "error",
        "proved",
        f"the update of {listed(names)} is computed and thrown away: the {'parameter stays as it is' if len(names) == 1 else 'parameters stay as they are'}",
        site=op.site or backward,
        label="copies, and what is done to a copy changes no parameter"
        if op.kind == "leave"
        else "makes a new tensor, and changes no parameter",
        related=places((backward, "the gradients are calculated here")),
        evidence=(
            Evidence(
                "the arrays that were taken out here have been changed since, and were not put back"
                if op.kind == "leave"
                else f"`{op.kind}` makes {step.value(op.output).type} after the backward, and nothing reads it",
                "readers",
                0,
            ),
            Evidence(
                f"{plural(len(names), 'parameter')} {'holds' if len(names) == 1 else 'hold'} the values of the first recorded step at the end of the run",
                "parameters",
                len(names),
            ),
        ),
        help="put them back with `set_weights`, or change each variable itself with `assign_sub`"
        if op.kind == "leave"
        else idiom(index, "in place"),
        facts=frozenset(Fact("unmoved", name) for name in names),
        explains=frozenset({Fact("no-update", kind)}),
        kind=step.step.kind,
        step=step.step.index,
        names=tuple(names),
        remedy=_kept(index, op),
    )


def _kept(index: Index, op: Op) -> Remedy | None:
    """The update made where the forward reads: of the tensor itself in PyTorch, of the variable by its method in TensorFlow; an array of JAX goes back into its list."""
    if op.site is None:
        return None
    if op.kind == "leave":
        return remedy("put the changed copies back", Edit("put back", op.site)) if speaks(index, "tensorflow") else None
    if speaks_torch(index):
        return remedy("update in place", Edit("augment", op.site))
    if speaks(index, "jax"):
        return remedy("put the new array back where the loop took it from", Edit("element", op.site))
    return remedy("update the variable itself", Edit("assign", op.site))
